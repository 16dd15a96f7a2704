/* What one core can reach on the backtests of the bench: straight C, one pass, running sums, fills and
   equity at every bar included; built for this machine with fast-math. It keeps no contract: sums may
   drift, a price that does not move is not noticed, nothing is checked. It is here to be a limit. */
#include <math.h>
#include <stdint.h>

typedef struct { double cash, fee, slip, qty[2]; int64_t entries, fills; } book;

static void fill(book *b, int leg, double target, double price) {
  double q = target - b->qty[leg];
  if (q == 0) return;
  double p = price * (q > 0 ? 1 + b->slip : 1 - b->slip);
  b->cash -= q * p + b->fee * fabs(q) * p;
  b->qty[leg] = target;
  b->fills++;
}

/* out: entries, fills, final equity. spread: room for n doubles. */
void pairs(const double *y, const double *x, int64_t n, int64_t L, double entry, double leave, double gross,
           double cash, double fee, double slip, double *spread, double *equity, double *out) {
  book b = {cash, fee, slip, {0, 0}, 0, 0};
  double sy = 0, sx = 0, sxy = 0, sxx = 0, ss = 0, sss = 0, w = 1.0 / L, f = 1.0 / (L - 1);
  double want_y = 0, want_x = 0;
  int side = 0, due = 0;
  for (int64_t t = 0; t < n; t++) {
    double p = y[t], q = x[t];
    if (due) {
      b.entries += want_y != 0;
      fill(&b, 0, want_y, p);
      fill(&b, 1, want_x, q);
      due = 0;
    }
    equity[t] = b.cash + b.qty[0] * p + b.qty[1] * q;
    sy += p; sx += q; sxy += p * q; sxx += q * q;
    if (t >= L) {
      double a = y[t - L], c = x[t - L];
      sy -= a; sx -= c; sxy -= a * c; sxx -= c * c;
    }
    if (t < L - 1) continue;
    double ratio = (sxy - sx * sy * w) / (sxx - sx * sx * w), s = p - ratio * q;
    spread[t] = s;
    ss += s; sss += s * s;
    if (t >= 2 * L - 1) {
      double a = spread[t - L];
      ss -= a; sss -= a * a;
    }
    if (t < 2 * L - 2) continue;
    double z = (s - ss * w) / sqrt((sss - ss * ss * w) * f);
    if (side) {
      if (side * z >= -leave) { side = 0; want_y = want_x = 0; due = 1; }
    } else if ((z >= entry || z <= -entry) && ratio > 0) {
      double u = floor(gross / (p + ratio * q)), m = floor(ratio * u + 0.5);
      if (u > 0 && m > 0) {
        side = z > 0 ? -1 : 1;
        want_y = side * u; want_x = -side * m; due = 1;
      }
    }
  }
  out[0] = b.entries; out[1] = b.fills; out[2] = equity[n - 1];
}

void sma_cross(const double *y, int64_t n, int64_t fast, int64_t slow, double gross, double cash, double fee,
               double slip, double *equity, double *out) {
  book b = {cash, fee, slip, {0, 0}, 0, 0};
  double sf = 0, ss = 0, wf = 1.0 / fast, ws = 1.0 / slow, want = 0;
  int side = 0, due = 0;
  for (int64_t t = 0; t < n; t++) {
    double p = y[t];
    if (due) { b.entries += want != 0; fill(&b, 0, want, p); due = 0; }
    equity[t] = b.cash + b.qty[0] * p;
    sf += p; ss += p;
    if (t >= fast) sf -= y[t - fast];
    if (t >= slow) ss -= y[t - slow];
    if (t < slow - 1) continue;
    int above = sf * wf > ss * ws;
    if (above && !side) {
      double u = floor(gross / p);
      if (u > 0) { side = 1; want = u; due = 1; }
    } else if (!above && side) { side = 0; want = 0; due = 1; }
  }
  out[0] = b.entries; out[1] = b.fills; out[2] = equity[n - 1];
}
