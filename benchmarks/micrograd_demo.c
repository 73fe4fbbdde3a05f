/* Micrograd's demonstration as one would write it in C: loss and gradient of a 2-16-16-1 network, point by point. */

enum { HIDDEN = 16, FIRST = 3 * HIDDEN, SECOND = FIRST + (HIDDEN + 1) * HIDDEN, PARAMETERS = SECOND + HIDDEN + 1 };

double step(const double *X, const double *y, int n, const double *p, double *g)
{
    double loss = 0.0, penalty = 0.0;
    for (int i = 0; i < PARAMETERS; i++) {
        penalty += p[i] * p[i];
        g[i] = 2e-4 * p[i];
    }
    for (int k = 0; k < n; k++) {
        const double *x = X + 2 * k, *last = p + SECOND;
        double h1[HIDDEN], h2[HIDDEN], d1[HIDDEN] = {0.0};
        for (int i = 0; i < HIDDEN; i++) {
            const double *w = p + 3 * i;
            double z = w[0] * x[0] + w[1] * x[1] + w[2];
            h1[i] = z > 0.0 ? z : 0.0;
        }
        double score = last[HIDDEN];
        for (int i = 0; i < HIDDEN; i++) {
            const double *w = p + FIRST + (HIDDEN + 1) * i;
            double z = w[HIDDEN];
            for (int j = 0; j < HIDDEN; j++)
                z += w[j] * h1[j];
            h2[i] = z > 0.0 ? z : 0.0;
            score += last[i] * h2[i];
        }
        double margin = 1.0 - y[k] * score;
        if (margin <= 0.0)
            continue;
        loss += margin;
        double d = -y[k] / n;
        g[SECOND + HIDDEN] += d;
        for (int i = 0; i < HIDDEN; i++) {
            g[SECOND + i] += d * h2[i];
            if (h2[i] <= 0.0)
                continue;
            double di = d * last[i];
            const double *w = p + FIRST + (HIDDEN + 1) * i;
            double *gw = g + FIRST + (HIDDEN + 1) * i;
            gw[HIDDEN] += di;
            for (int j = 0; j < HIDDEN; j++) {
                gw[j] += di * h1[j];
                d1[j] += di * w[j];
            }
        }
        for (int j = 0; j < HIDDEN; j++) {
            if (h1[j] <= 0.0)
                continue;
            g[3 * j] += d1[j] * x[0];
            g[3 * j + 1] += d1[j] * x[1];
            g[3 * j + 2] += d1[j];
        }
    }
    return loss / n + 1e-4 * penalty;
}
