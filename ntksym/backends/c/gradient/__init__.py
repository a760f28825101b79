"""C of derivatives: of duals, of layers, and of whole networks by forward mode."""
