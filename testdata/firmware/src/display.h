/* A 96 x 16 monochrome display: frame buffer, 5 x 7 font, and the pages it cycles through. */
#ifndef DISPLAY_H
#define DISPLAY_H

#include "app.h"

#define DISPLAY_WIDTH 96u
#define DISPLAY_HEIGHT 16u

typedef struct {
    uint8_t columns[DISPLAY_HEIGHT / 8u][DISPLAY_WIDTH]; /* bit 0 is the top of eight rows */
} display_t;

void display_clear(display_t *d);
void display_text(display_t *d, uint32_t x, uint32_t line, const char *text);
void display_bar(display_t *d, uint32_t x, uint32_t line, uint32_t width, uint32_t filled);
bool display_pixel(const display_t *d, uint32_t x, uint32_t y);
/* Draws page `index`; pages repeat. */
void display_page(display_t *d, const app_t *a, uint32_t index);

#endif
