"""Networks from scratch: all arithmetic in NumPy.

Read in this order: activations, network, dropout, architecture, learning; then
conv, pool, siamese and siamese_learning. Around them stand examples and chips
(what goes in), plane and plots (what comes out); rich draws the progress bars,
OpenCV shrinks pictures, matplotlib draws the plots. Everything is float64, so
that gradients can be checked closely.
"""
