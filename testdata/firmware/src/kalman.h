/* Small matrices and a two-state (value, slope) Kalman filter for the temperature of the terminals. */
#ifndef KALMAN_H
#define KALMAN_H

#include "fix.h"

#define MATRIX_MAX 3

typedef struct {
    uint8_t rows, columns;
    fix_t at[MATRIX_MAX][MATRIX_MAX];
} matrix_t;

void matrix_identity(matrix_t *m, uint8_t size);
bool matrix_multiply(matrix_t *out, const matrix_t *a, const matrix_t *b);
bool matrix_add(matrix_t *out, const matrix_t *a, const matrix_t *b);
void matrix_transpose(matrix_t *out, const matrix_t *a);
fix_t matrix_determinant(const matrix_t *m); /* 1x1 to 3x3 */
bool matrix_invert(matrix_t *out, const matrix_t *m);

typedef struct {
    matrix_t state;      /* 2x1: value, slope per step */
    matrix_t covariance; /* 2x2 */
    fix_t process_noise, measurement_noise;
    bool primed;
} kalman_t;

void kalman_init(kalman_t *k, fix_t process_noise, fix_t measurement_noise);
fix_t kalman_step(kalman_t *k, fix_t measurement);

#endif
