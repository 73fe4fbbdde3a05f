# A random exercise: press predict, then walk through it
from autograd import exercise

drawn = exercise(level=3, seed=7)
print(drawn.task)
f = drawn.root()
