/* A DLMS/COSEM server for get-requests on registers and the clock (IEC 62056-5-3, A-XDR encoding). */
#ifndef DLMS_H
#define DLMS_H

#include "app.h"

#define DLMS_MAX_ANSWER 64u

enum dlms_result { DLMS_SUCCESS = 0, DLMS_READ_DENIED = 3, DLMS_UNDEFINED = 4, DLMS_UNAVAILABLE = 11 };

/* get-request-normal: c0 01 <invoke> <class 2> <code 6> <attribute> 00. Returns the length of the answer. */
size_t dlms_answer(const app_t *a, const uint8_t *request, size_t length, uint8_t *answer, size_t room);

#endif
