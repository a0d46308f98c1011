/* SPDX-License-Identifier: Apache-2.0 */
#include "stage_scan.h"

#include <stdbool.h>
#include <string.h>

enum state {
    BEGIN, /* the object's brace */
    KEY_OR_END,
    KEY,
    COLON,
    VALUE,
    VALUE_OR_END,
    COMMA_OR_END,
    STRING,
    ESCAPE,
    HEX,
    LITERAL,
    NUMBER,
    END, /* the object is closed */
    BROKEN,
};

/* Where a number is. */
enum number { MINUS, ZERO, DIGITS, POINT, FRACTION, EXPONENT, EXPONENT_SIGN, EXPONENT_DIGITS };

static bool white(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool in_array(const struct fs_scan *scan)
{
    unsigned top = scan->depth - 1u;
    return scan->arrays[top / 8] >> top % 8 & 1;
}

static enum state push(struct fs_scan *scan, bool array)
{
    if (scan->depth == FS_SCAN_DEPTH)
        return BROKEN;
    unsigned top = scan->depth++;
    uint8_t bit = (uint8_t)(1u << top % 8);
    if (array)
        scan->arrays[top / 8] |= bit;
    else
        scan->arrays[top / 8] &= (uint8_t)~bit;
    return array ? VALUE_OR_END : KEY_OR_END;
}

static enum state pop(struct fs_scan *scan, char c)
{
    if (in_array(scan) != (c == ']'))
        return BROKEN;
    return --scan->depth ? COMMA_OR_END : END;
}

static enum state begin_string(struct fs_scan *scan, bool key)
{
    scan->key = key;
    return STRING;
}

static enum state begin_literal(struct fs_scan *scan, const char *rest)
{
    scan->literal = rest;
    return LITERAL;
}

static enum state begin_number(struct fs_scan *scan, enum number number)
{
    scan->number = (uint8_t)number;
    return NUMBER;
}

static enum state value(struct fs_scan *scan, char c)
{
    switch (c) {
    case '{':
        return push(scan, false);
    case '[':
        return push(scan, true);
    case '"':
        return begin_string(scan, false);
    case 't':
        return begin_literal(scan, "rue");
    case 'f':
        return begin_literal(scan, "alse");
    case 'n':
        return begin_literal(scan, "ull");
    case '-':
        return begin_number(scan, MINUS);
    case '0':
        return begin_number(scan, ZERO);
    default:
        return digit(c) ? begin_number(scan, DIGITS) : BROKEN;
    }
}

static enum state after_value(struct fs_scan *scan, char c)
{
    if (c == ',')
        return in_array(scan) ? VALUE : KEY;
    return c == '}' || c == ']' ? pop(scan, c) : BROKEN;
}

/* A number ends at what cannot continue it: that byte is then looked at as what follows a value. */
static enum state number(struct fs_scan *scan, char c)
{
    enum number now = scan->number;
    bool e = c == 'e' || c == 'E', sign = c == '+' || c == '-';
    if (digit(c)) {
        static const uint8_t next[] = {
            [DIGITS] = DIGITS,
            [POINT] = FRACTION,
            [FRACTION] = FRACTION,
            [EXPONENT] = EXPONENT_DIGITS,
            [EXPONENT_SIGN] = EXPONENT_DIGITS,
            [EXPONENT_DIGITS] = EXPONENT_DIGITS,
        };
        if (now == ZERO)
            return BROKEN;
        return begin_number(scan, now == MINUS ? (c == '0' ? ZERO : DIGITS) : (enum number)next[now]);
    }
    if (c == '.' && (now == ZERO || now == DIGITS))
        return begin_number(scan, POINT);
    if (e && (now == ZERO || now == DIGITS || now == FRACTION))
        return begin_number(scan, EXPONENT);
    if (sign && now == EXPONENT)
        return begin_number(scan, EXPONENT_SIGN);
    if (now == MINUS || now == POINT || now == EXPONENT || now == EXPONENT_SIGN)
        return BROKEN;
    return white(c) ? COMMA_OR_END : after_value(scan, c);
}

static enum state string(struct fs_scan *scan, char c)
{
    if (c == '"')
        return scan->key ? COLON : COMMA_OR_END;
    if (c == '\\')
        return ESCAPE;
    return (unsigned char)c < 0x20 ? BROKEN : STRING;
}

static enum state escape(struct fs_scan *scan, char c)
{
    if (c == 'u') {
        scan->hex = 4;
        return HEX;
    }
    return c && strchr("\"\\/bfnrt", c) ? STRING : BROKEN;
}

static enum state hex(struct fs_scan *scan, char c)
{
    if (!digit(c) && !(c >= 'a' && c <= 'f') && !(c >= 'A' && c <= 'F'))
        return BROKEN;
    return --scan->hex ? HEX : STRING;
}

static enum state literal(struct fs_scan *scan, char c)
{
    if (c != *scan->literal)
        return BROKEN;
    return *++scan->literal ? LITERAL : COMMA_OR_END;
}

/* Between tokens, white space changes nothing. */
static enum state between(struct fs_scan *scan, enum state state, char c)
{
    if (white(c))
        return state;
    switch (state) {
    case BEGIN:
        return c == '{' ? push(scan, false) : BROKEN;
    case KEY_OR_END:
        return c == '}' ? pop(scan, c) : c == '"' ? begin_string(scan, true) : BROKEN;
    case KEY:
        return c == '"' ? begin_string(scan, true) : BROKEN;
    case COLON:
        return c == ':' ? VALUE : BROKEN;
    case VALUE:
        return value(scan, c);
    case VALUE_OR_END:
        return c == ']' ? pop(scan, c) : value(scan, c);
    case COMMA_OR_END:
        return after_value(scan, c);
    default:
        return BROKEN;
    }
}

static enum state step(struct fs_scan *scan, enum state state, char c)
{
    switch (state) {
    case STRING:
        return string(scan, c);
    case ESCAPE:
        return escape(scan, c);
    case HEX:
        return hex(scan, c);
    case LITERAL:
        return literal(scan, c);
    case NUMBER:
        return number(scan, c);
    default:
        return between(scan, state, c);
    }
}

enum fs_scan_result fs_scan_feed(struct fs_scan *scan, const char *data, size_t len)
{
    for (size_t i = 0; i < len && scan->state != BROKEN; i++) {
        scan->state = (uint8_t)step(scan, scan->state, data[i]);
        scan->at += scan->state != BROKEN;
    }
    return fs_scan_result(scan);
}

enum fs_scan_result fs_scan_result(const struct fs_scan *scan)
{
    return scan->state == BROKEN ? FS_SCAN_BROKEN : scan->state == END ? FS_SCAN_WHOLE : FS_SCAN_MORE;
}
