"""Training loops with no step function, in the shape of TensorFlow's and Keras' guides.

`# EXPECT verdict on batch n` says what comparing must give; `# RULE rule` stands on the line of each finding.
"""
