# The types of what node.py holds where it is compiled: numbers are numbers of C's.
cdef class Clock:
    cdef public long long now

cdef class Node:
    cdef public object _data, op, _x, _y, _notes
    cdef public double grad, _adjoint
    cdef public long long _time, _mark
    cdef object __weakref__

cdef long long _sweeps
