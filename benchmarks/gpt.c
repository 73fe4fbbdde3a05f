/* A document's loss and gradient as one would write it in C: the GPT of gpt.py, one position after another. */

#include <math.h>
#include <string.h>

enum { LETTERS = 27, WIDTH = 16, HEADS = 4, HEAD = WIDTH / HEADS, BLOCK = 16, WIDE = 4 * WIDTH };
enum {
    TOKEN = 0, POSITION = TOKEN + LETTERS * WIDTH, QUERY = POSITION + BLOCK * WIDTH, KEY = QUERY + WIDTH * WIDTH,
    VALUE = KEY + WIDTH * WIDTH, MIX = VALUE + WIDTH * WIDTH, WIDEN = MIX + WIDTH * WIDTH,
    NARROW = WIDEN + WIDE * WIDTH, OUT = NARROW + WIDTH * WIDE, PARAMETERS = OUT + LETTERS * WIDTH
};

/* y = W x, for a matrix of rows x columns */
static inline void times(const double *restrict w, const double *restrict x, double *restrict y, int rows, int columns)
{
    for (int i = 0; i < rows; i++) {
        double sum = 0.0;
        for (int j = 0; j < columns; j++)
            sum += w[i * columns + j] * x[j];
        y[i] = sum;
    }
}

/* what flows back through y = W x: gw += dy x', dx += W' dy */
static inline void back(const double *restrict w, const double *restrict x, const double *restrict dy,
                        double *restrict gw, double *restrict dx, int rows, int columns)
{
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < columns; j++) {
            gw[i * columns + j] += dy[i] * x[j];
            dx[j] += w[i * columns + j] * dy[i];
        }
}

static inline double normalise(const double *x, double *y)
{
    double sum = 0.0;
    for (int i = 0; i < WIDTH; i++)
        sum += x[i] * x[i];
    double scale = 1.0 / sqrt(sum / WIDTH + 1e-5);
    for (int i = 0; i < WIDTH; i++)
        y[i] = x[i] * scale;
    return scale;
}

/* dx += what flows back through y = x scale */
static inline void normalise_back(const double *x, double scale, const double *dy, double *dx)
{
    double along = 0.0;
    for (int i = 0; i < WIDTH; i++)
        along += x[i] * dy[i];
    along *= scale * scale * scale / WIDTH;
    for (int i = 0; i < WIDTH; i++)
        dx[i] += scale * dy[i] - along * x[i];
}

static inline void softmax(double *x, int n)
{
    double top = x[0], total = 0.0;
    for (int i = 1; i < n; i++)
        top = x[i] > top ? x[i] : top;
    for (int i = 0; i < n; i++)
        total += x[i] = exp(x[i] - top);
    for (int i = 0; i < n; i++)
        x[i] /= total;
}

static struct {
    double sum[WIDTH], x[WIDTH], seen[WIDTH], q[WIDTH], k[WIDTH], v[WIDTH], w[HEADS][BLOCK], read[WIDTH];
    double mixed[WIDTH], normal[WIDTH], wide[WIDE], last[WIDTH], p[LETTERS], s0, s1, s2;
} at[BLOCK];

double step(const int *tokens, int n, const double *p, double *g)
{
    double loss = 0.0, dk[BLOCK][WIDTH] = {{0.0}}, dv[BLOCK][WIDTH] = {{0.0}};
    const double root = 1.0 / sqrt(HEAD);
    memset(g, 0, PARAMETERS * sizeof *g);
    for (int t = 0; t < n; t++) {
        double added[WIDTH];
        for (int i = 0; i < WIDTH; i++)
            at[t].sum[i] = p[TOKEN + tokens[t] * WIDTH + i] + p[POSITION + t * WIDTH + i];
        at[t].s0 = normalise(at[t].sum, at[t].x);
        at[t].s1 = normalise(at[t].x, at[t].seen);
        times(p + QUERY, at[t].seen, at[t].q, WIDTH, WIDTH);
        times(p + KEY, at[t].seen, at[t].k, WIDTH, WIDTH);
        times(p + VALUE, at[t].seen, at[t].v, WIDTH, WIDTH);
        memset(at[t].read, 0, sizeof at[t].read);
        for (int h = 0; h < HEADS; h++) {
            for (int u = 0; u <= t; u++) {
                double score = 0.0;
                for (int i = h * HEAD; i < (h + 1) * HEAD; i++)
                    score += at[t].q[i] * at[u].k[i];
                at[t].w[h][u] = score * root;
            }
            softmax(at[t].w[h], t + 1);
            for (int u = 0; u <= t; u++)
                for (int i = h * HEAD; i < (h + 1) * HEAD; i++)
                    at[t].read[i] += at[t].w[h][u] * at[u].v[i];
        }
        times(p + MIX, at[t].read, added, WIDTH, WIDTH);
        for (int i = 0; i < WIDTH; i++)
            at[t].mixed[i] = at[t].x[i] + added[i];
        at[t].s2 = normalise(at[t].mixed, at[t].normal);
        times(p + WIDEN, at[t].normal, at[t].wide, WIDE, WIDTH);
        for (int i = 0; i < WIDE; i++)
            at[t].wide[i] = at[t].wide[i] > 0.0 ? at[t].wide[i] : 0.0;
        times(p + NARROW, at[t].wide, added, WIDTH, WIDE);
        for (int i = 0; i < WIDTH; i++)
            at[t].last[i] = at[t].mixed[i] + added[i];
        times(p + OUT, at[t].last, at[t].p, LETTERS, WIDTH);
        softmax(at[t].p, LETTERS);
        loss -= log(at[t].p[tokens[t + 1]]);
    }
    for (int t = n - 1; t >= 0; t--) {
        double dscore[LETTERS], dlast[WIDTH] = {0.0}, dwide[WIDE] = {0.0}, dnormal[WIDTH] = {0.0};
        double dread[WIDTH] = {0.0}, dq[WIDTH] = {0.0}, dseen[WIDTH] = {0.0}, dx[WIDTH], dsum[WIDTH] = {0.0};
        for (int i = 0; i < LETTERS; i++)
            dscore[i] = (at[t].p[i] - (i == tokens[t + 1])) / n;
        back(p + OUT, at[t].last, dscore, g + OUT, dlast, LETTERS, WIDTH);
        back(p + NARROW, at[t].wide, dlast, g + NARROW, dwide, WIDTH, WIDE);
        for (int i = 0; i < WIDE; i++)
            dwide[i] = at[t].wide[i] > 0.0 ? dwide[i] : 0.0;
        back(p + WIDEN, at[t].normal, dwide, g + WIDEN, dnormal, WIDE, WIDTH);
        normalise_back(at[t].mixed, at[t].s2, dnormal, dlast); /* now by mixed */
        memcpy(dx, dlast, sizeof dx);
        back(p + MIX, at[t].read, dlast, g + MIX, dread, WIDTH, WIDTH);
        for (int h = 0; h < HEADS; h++) {
            double dw[BLOCK], mean = 0.0;
            for (int u = 0; u <= t; u++) {
                dw[u] = 0.0;
                for (int i = h * HEAD; i < (h + 1) * HEAD; i++) {
                    dw[u] += dread[i] * at[u].v[i];
                    dv[u][i] += at[t].w[h][u] * dread[i];
                }
                mean += at[t].w[h][u] * dw[u];
            }
            for (int u = 0; u <= t; u++) {
                double d = at[t].w[h][u] * (dw[u] - mean) * root;
                for (int i = h * HEAD; i < (h + 1) * HEAD; i++) {
                    dq[i] += d * at[u].k[i];
                    dk[u][i] += d * at[t].q[i];
                }
            }
        }
        back(p + QUERY, at[t].seen, dq, g + QUERY, dseen, WIDTH, WIDTH);
        back(p + KEY, at[t].seen, dk[t], g + KEY, dseen, WIDTH, WIDTH);
        back(p + VALUE, at[t].seen, dv[t], g + VALUE, dseen, WIDTH, WIDTH);
        normalise_back(at[t].x, at[t].s1, dseen, dx);
        normalise_back(at[t].sum, at[t].s0, dx, dsum);
        for (int i = 0; i < WIDTH; i++) {
            g[TOKEN + tokens[t] * WIDTH + i] += dsum[i];
            g[POSITION + t * WIDTH + i] += dsum[i];
        }
    }
    return loss / n;
}
