"""How well faces are found and told apart: protocols, figures and the fit of a calibration."""
