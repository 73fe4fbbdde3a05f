/* What the machine code needs beside the functions of <math.h>: those of Python whose results are not doubles in C. */

#include <math.h>

double frexp_mantissa(double x)
{
    int exponent;
    return frexp(x, &exponent);
}

double frexp_exponent(double x)
{
    int exponent = 0;
    frexp(x, &exponent);
    return exponent;
}

/* An exponent beyond 5000 in size gives what 5000 does: 0, or infinity. */
double scaled(double x, double exponent)
{
    return scalbn(x, (int)fmax(-5000.0, fmin(5000.0, exponent)));
}

/* Python's x % y and x // y of floats: the remainder has the sign of y. By zero they are nan and x / y. */
double modulo(double x, double y)
{
    double rest = fmod(x, y);
    if (rest == 0.0)
        return copysign(0.0, y);
    return (y < 0.0) != (rest < 0.0) ? rest + y : rest;
}

double floor_divide(double x, double y)
{
    if (y == 0.0)
        return x / y;
    double rest = fmod(x, y), quotient = (x - rest) / y;
    if (rest != 0.0 && (y < 0.0) != (rest < 0.0))
        quotient -= 1.0;
    if (quotient == 0.0)
        return copysign(0.0, x / y);
    double below = floor(quotient);
    return quotient - below > 0.5 ? below + 1.0 : below;
}
