# A simple example: f = (x + y) z
from autograd import Value

x, y, z = Value(-2), Value(5), Value(-4)
q = x + y
f = q * z
