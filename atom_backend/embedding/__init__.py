"""Text in, vectors out: the chunker, the encoders and the export of the model."""
