"""What drives the traffic forecast of an LSTM? Explanations against known drivers."""
