"""Training scripts in the style of TensorFlow's and Keras' guides that nothing is wrong with: no rule may complain."""
