"""Which words make a comment spam? LIME, SHAP and gradients of a Flax LSTM."""
