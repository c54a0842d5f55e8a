"""Networks from scratch: all arithmetic in NumPy.

Read in this order: activations, network, dropout, architecture, learning; then
conv, pool, siamese, batch_loss, adam, variations and siamese_learning. Around
them stand examples, chips and held_out (what goes in), measure, plane, plots and
siamese_plots (what comes out), siamese_run (a whole run); rich draws the progress
bars, OpenCV shrinks pictures, matplotlib draws the plots. Everything is float64,
so that gradients can be checked closely.
"""
