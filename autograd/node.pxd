# The types of a node's slots where node.py is compiled. They are objects, as in Python, so that both are alike
# in what they hold and take; only what lives for a sweep is a number of C's.
cdef class Node:
    cdef public object _data, grad, op, _x, _y, _time, _mark, _notes
    cdef public double _adjoint
    cdef object __weakref__
