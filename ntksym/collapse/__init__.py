"""Depth for free: a whole network as one certified function of the angle between two inputs."""

from .angular import AngularNetwork as AngularNetwork
from .angular import angular as angular
from .fit import Collapsed as Collapsed
from .fit import collapse as collapse
