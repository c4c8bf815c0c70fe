/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the bench programs share: the driver that is measured, the command
 * line, the processor's busy time, and results as lines "result KEY VALUE".
 *
 * usage of each: PROGRAM CARD DRIVER [KEY=VALUE...]
 *
 * DRIVER is virtual, aloop or dummy: it decides which capture device hears
 * playback device 0, and whether any does.
 */
#ifndef VBENCH_H
#define VBENCH_H

#include "vtest.h"

/* The driver */
extern const char *vb_driver;
extern bool vb_carries;			/* its capture hears its playback */
extern int vb_capture_device;		/* which capture device does */

void vb_init(int argc, char **argv);
int vb_main(vt_test *test);
long vb_arg(const char *key, long standard);
const char *vb_word(const char *key, const char *standard);
void vb_result(const char *key, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void *vb_share(size_t bytes);

/**
 * struct vb_window - a stretch of time
 * @length: ns
 * @busy: of that the processor was not idle, ns
 */
struct vb_window {
	int64_t length;
	int64_t busy;
};

void vb_watch(struct vb_window *w, int64_t length);

/* Figures */
double vb_median(double *x, unsigned int n);
double vb_percentile(double *x, unsigned int n, double percent);
double vb_rms(const double *x, unsigned int n);
double vb_clock_cost(void);

#endif
