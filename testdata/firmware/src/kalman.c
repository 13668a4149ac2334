#include "kalman.h"

#include "str.h"

void matrix_identity(matrix_t *m, uint8_t size)
{
    memset(m, 0, sizeof *m);
    m->rows = m->columns = size;
    for (uint8_t i = 0; i < size; i++) {
        m->at[i][i] = FIX_ONE;
    }
}

bool matrix_multiply(matrix_t *out, const matrix_t *a, const matrix_t *b)
{
    if (a->columns != b->rows) {
        return false;
    }
    matrix_t r = {.rows = a->rows, .columns = b->columns};
    for (size_t i = 0; i < a->rows; i++) {
        for (size_t j = 0; j < b->columns; j++) {
            int64_t sum = 0x8000;
            for (size_t k = 0; k < a->columns; k++) {
                sum += (int64_t)a->at[i][k] * b->at[k][j];
            }
            r.at[i][j] = (fix_t)(sum >> 16);
        }
    }
    *out = r;
    return true;
}

bool matrix_add(matrix_t *out, const matrix_t *a, const matrix_t *b)
{
    if (a->rows != b->rows || a->columns != b->columns) {
        return false;
    }
    out->rows = a->rows;
    out->columns = a->columns;
    for (size_t i = 0; i < a->rows; i++) {
        for (size_t j = 0; j < a->columns; j++) {
            out->at[i][j] = a->at[i][j] + b->at[i][j];
        }
    }
    return true;
}

void matrix_transpose(matrix_t *out, const matrix_t *a)
{
    matrix_t r = {.rows = a->columns, .columns = a->rows};
    for (size_t i = 0; i < a->rows; i++) {
        for (size_t j = 0; j < a->columns; j++) {
            r.at[j][i] = a->at[i][j];
        }
    }
    *out = r;
}

/* Determinant of what is left without one row and one column of a 3x3 matrix. */
static fix_t minor_of(const matrix_t *m, size_t row, size_t column)
{
    size_t r0 = row == 0 ? 1 : 0, r1 = row == 2 ? 1 : 2;
    size_t c0 = column == 0 ? 1 : 0, c1 = column == 2 ? 1 : 2;
    return fix_mul(m->at[r0][c0], m->at[r1][c1]) - fix_mul(m->at[r0][c1], m->at[r1][c0]);
}

fix_t matrix_determinant(const matrix_t *m)
{
    switch (m->rows) {
    case 1:
        return m->at[0][0];
    case 2:
        return fix_mul(m->at[0][0], m->at[1][1]) - fix_mul(m->at[0][1], m->at[1][0]);
    default:
        return fix_mul(m->at[0][0], minor_of(m, 0, 0)) - fix_mul(m->at[0][1], minor_of(m, 0, 1)) +
               fix_mul(m->at[0][2], minor_of(m, 0, 2));
    }
}

bool matrix_invert(matrix_t *out, const matrix_t *m)
{
    fix_t determinant = matrix_determinant(m);
    if (m->rows != m->columns || determinant == 0) {
        return false;
    }
    matrix_t r = {.rows = m->rows, .columns = m->columns};
    if (m->rows == 1) {
        r.at[0][0] = fix_div(FIX_ONE, determinant);
    } else if (m->rows == 2) {
        r.at[0][0] = fix_div(m->at[1][1], determinant);
        r.at[1][1] = fix_div(m->at[0][0], determinant);
        r.at[0][1] = fix_div(-m->at[0][1], determinant);
        r.at[1][0] = fix_div(-m->at[1][0], determinant);
    } else {
        for (size_t i = 0; i < 3; i++) {
            for (size_t j = 0; j < 3; j++) {
                fix_t cofactor = (i + j) & 1u ? -minor_of(m, j, i) : minor_of(m, j, i);
                r.at[i][j] = fix_div(cofactor, determinant);
            }
        }
    }
    *out = r;
    return true;
}

void kalman_init(kalman_t *k, fix_t process_noise, fix_t measurement_noise)
{
    memset(k, 0, sizeof *k);
    k->state.rows = 2;
    k->state.columns = 1;
    matrix_identity(&k->covariance, 2);
    k->process_noise = process_noise;
    k->measurement_noise = measurement_noise;
}

fix_t kalman_step(kalman_t *k, fix_t measurement)
{
    if (!k->primed) {
        k->primed = true;
        k->state.at[0][0] = measurement;
        return measurement;
    }
    matrix_t transition, turned, noise;
    matrix_identity(&transition, 2);
    transition.at[0][1] = FIX_ONE;
    matrix_transpose(&turned, &transition);
    matrix_identity(&noise, 2);
    noise.at[0][0] = noise.at[1][1] = k->process_noise;

    /* predict */
    (void)matrix_multiply(&k->state, &transition, &k->state);
    (void)matrix_multiply(&k->covariance, &transition, &k->covariance);
    (void)matrix_multiply(&k->covariance, &k->covariance, &turned);
    (void)matrix_add(&k->covariance, &k->covariance, &noise);

    /* correct: the measurement sees the value, not the slope */
    fix_t innovation = measurement - k->state.at[0][0];
    fix_t spread = k->covariance.at[0][0] + k->measurement_noise;
    fix_t gain[2] = {fix_div(k->covariance.at[0][0], spread), fix_div(k->covariance.at[1][0], spread)};
    matrix_t keep;
    matrix_identity(&keep, 2);
    keep.at[0][0] -= gain[0];
    keep.at[1][0] = -gain[1];
    k->state.at[0][0] += fix_mul(gain[0], innovation);
    k->state.at[1][0] += fix_mul(gain[1], innovation);
    (void)matrix_multiply(&k->covariance, &keep, &k->covariance);
    return k->state.at[0][0];
}
