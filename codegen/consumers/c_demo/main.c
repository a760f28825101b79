/* A C program that uses the generated routines: no Python, no library but the standard one.
 *
 * It prints the NNGP kernel and the NTK of a ReLU network for three inputs, checks that they are
 * symmetric and agree with the dual of one ReLU layer, and returns 0 if so.
 */
#include <math.h>
#include <stddef.h>
#include <stdio.h>

int ntksym_relu_mlp(size_t n, size_t m, size_t d, const double *x, const double *y,
                    double *nngp, double *ntk);
void ntksym_relu(size_t n, const double *q11, const double *q12, const double *q22,
                 double *nngp, double *dot);

int main(void)
{
  const double x[] = {1.0, 0.0, 0.6, 0.8, -1.0, 0.25};
  const double one = 1.0, opposite = -1.0;
  double nngp[9], ntk[9], value, dot;
  int failures = 0;
  if (ntksym_relu_mlp(3, 3, 2, x, x, nngp, ntk)) return 2;
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 3; ++j) printf("%22.17g %22.17g\n", nngp[3 * i + j], ntk[3 * i + j]);
    for (int j = 0; j < 3; ++j)
      failures += fabs(ntk[3 * i + j] - ntk[3 * j + i]) > 1e-14 * fabs(ntk[3 * i + j]);
  }
  ntksym_relu(1, &one, &one, &one, &value, &dot);
  failures += fabs(value - 0.5) > 1e-16 || fabs(dot - 0.5) > 1e-16;
  ntksym_relu(1, &one, &opposite, &one, &value, &dot);
  failures += value != 0.0 || dot != 0.0;
  printf("%s\n", failures ? "FAILED" : "ok");
  return failures ? 1 : 0;
}
