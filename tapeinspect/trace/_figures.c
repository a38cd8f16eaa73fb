/* Figures of float32 and float64 arrays in one pass over their memory. `figures.py` has the same in NumPy.

   Sums are taken in double precision, in which no square of a float32 is lost or too large. Every function returns
   None for what it was not made for, so that NumPy takes it: other types, arrays whose elements do not follow each
   other, and float64 values whose squares do not fit. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <limits.h>
#include <math.h>
#include <stdint.h>

#define LANES 16
#define BLOCK 4096        /* elements after which the sums are looked at */
#define RELEASE (1 << 16) /* elements of a long pass */

#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
#define WIDEST __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define WIDEST
#endif

typedef struct {
    double squares, sum, least, most;
    Py_ssize_t zeros, nan, inf;
} Sums;

#define PASSES(T) \
    WIDEST static void add_##T(const T *x, Py_ssize_t n, Sums *sums) \
    { \
        double squares[LANES] = {0}, sum[LANES] = {0}, all_squares = 0, all = 0; \
        T least[LANES], most[LANES]; \
        int filled[LANES] = {0}; \
        Py_ssize_t i = 0; \
        for (int j = 0; j < LANES; j++) { \
            least[j] = (T)INFINITY; \
            most[j] = (T)-INFINITY; \
        } \
        for (; i + LANES <= n; i += LANES) \
            for (int j = 0; j < LANES; j++) { \
                T v = x[i + j]; \
                least[j] = v < least[j] ? v : least[j]; \
                most[j] = v > most[j] ? v : most[j]; \
                squares[j] += (double)v * (double)v; \
                sum[j] += (double)v; \
                filled[j] += v != 0; \
            } \
        for (int j = 0; i < n; i++, j++) { \
            T v = x[i]; \
            least[j] = v < least[j] ? v : least[j]; \
            most[j] = v > most[j] ? v : most[j]; \
            squares[j] += (double)v * (double)v; \
            sum[j] += (double)v; \
            filled[j] += v != 0; \
        } \
        Py_ssize_t some = 0; \
        for (int j = 0; j < LANES; j++) { \
            all_squares += squares[j]; \
            all += sum[j]; \
            some += filled[j]; \
            sums->least = least[j] < sums->least ? (double)least[j] : sums->least; \
            sums->most = most[j] > sums->most ? (double)most[j] : sums->most; \
        } \
        sums->squares += all_squares; \
        sums->sum += all; \
        sums->zeros += n - some; \
    } \
    static void add_finite_##T(const T *x, Py_ssize_t n, Sums *sums) \
    { \
        for (Py_ssize_t i = 0; i < n; i++) { \
            double v = (double)x[i]; \
            if (isnan(v)) \
                sums->nan++; \
            else if (isinf(v)) \
                sums->inf++; \
            else { \
                sums->squares += v * v; \
                sums->sum += v; \
                sums->zeros += v == 0; \
                sums->least = v < sums->least ? v : sums->least; \
                sums->most = v > sums->most ? v : sums->most; \
            } \
        } \
    } \
    static void sum_##T(const T *x, Py_ssize_t n, Sums *sums) \
    { \
        for (Py_ssize_t start = 0; start < n; start += BLOCK) { \
            Py_ssize_t size = Py_MIN(BLOCK, n - start); \
            Sums before = *sums; \
            add_##T(x + start, size, sums); \
            if (!isfinite(sums->squares)) { \
                *sums = before; \
                add_finite_##T(x + start, size, sums); \
            } \
        } \
    } \
    WIDEST static double squares_##T(const T *x, Py_ssize_t n) \
    { \
        double squares[LANES] = {0}, all = 0; \
        Py_ssize_t i = 0; \
        for (; i + LANES <= n; i += LANES) \
            for (int j = 0; j < LANES; j++) \
                squares[j] += (double)x[i + j] * (double)x[i + j]; \
        for (int j = 0; i < n; i++, j++) \
            squares[j] += (double)x[i] * (double)x[i]; \
        for (int j = 0; j < LANES; j++) \
            all += squares[j]; \
        return all; \
    } \
    WIDEST static double change_##T(const T *x, const T *y, Py_ssize_t n, double *largest, Py_ssize_t *zeros) \
    { \
        double squares[LANES] = {0}, all = 0; \
        T most[LANES] = {0}; \
        Py_ssize_t i = 0, some = 0; \
        for (Py_ssize_t stop = 0; stop < n;) { \
            int filled[LANES] = {0}; \
            stop = Py_MIN(n, stop + BLOCK); \
            for (; i + LANES <= stop; i += LANES) \
                for (int j = 0; j < LANES; j++) { \
                    T v = y[i + j] - x[i + j], size = v < 0 ? -v : v; \
                    most[j] = size > most[j] ? size : most[j]; \
                    squares[j] += (double)v * (double)v; \
                    filled[j] += v != 0; \
                } \
            for (int j = 0; i < stop; i++, j++) { \
                T v = y[i] - x[i], size = v < 0 ? -v : v; \
                most[j] = size > most[j] ? size : most[j]; \
                squares[j] += (double)v * (double)v; \
                filled[j] += v != 0; \
            } \
            for (int j = 0; j < LANES; j++) \
                some += filled[j]; \
        } \
        for (int j = 0; j < LANES; j++) { \
            all += squares[j]; \
            *largest = most[j] > *largest ? (double)most[j] : *largest; \
        } \
        *zeros = n - some; \
        return all; \
    }

PASSES(float)
PASSES(double)

/* The elements of an array: its type, 'f' or 'd', or 0 when they are anything else or do not follow each other. */
static char open_array(PyObject *array, Py_buffer *view)
{
    if (PyObject_GetBuffer(array, view, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT) < 0) {
        PyErr_Clear();
        return 0;
    }
    char type = view->format == NULL ? 0 : view->format[0];
    if ((type == 'f' || type == 'd') && view->format[1] == 0)
        return type;
    PyBuffer_Release(view);
    return 0;
}

/* A pass over so many elements; other threads may run during a long one. */
#define PASS(n, work) \
    { \
        PyThreadState *released = (n) < RELEASE ? NULL : PyEval_SaveThread(); \
        work; \
        if (released) \
            PyEval_RestoreThread(released); \
    }

/* Whether the squares of float64 values can have been lost: too small or too large for the type. */
static int lossy(char type, double squares, int filled)
{
    return type == 'd' && (!isfinite(squares) || (filled && squares < 1e-280));
}

static PyObject *stats(PyObject *module, PyObject *array)
{
    Py_buffer view;
    char type = open_array(array, &view);
    if (!type)
        Py_RETURN_NONE;
    Py_ssize_t n = view.len / view.itemsize;
    Sums sums = {.least = INFINITY, .most = -INFINITY};
    PASS(n, type == 'f' ? sum_float(view.buf, n, &sums) : sum_double(view.buf, n, &sums));
    PyBuffer_Release(&view);
    Py_ssize_t finite = n - sums.nan - sums.inf;
    if (n == 0 || lossy(type, sums.squares, finite > sums.zeros) || !isfinite(sums.sum))
        Py_RETURN_NONE;
    double share = (double)sums.zeros / (double)n;
    if (finite == 0)
        return Py_BuildValue("OOOOnnd", Py_None, Py_None, Py_None, Py_None, sums.nan, sums.inf, share);
    double mean = sums.sum / (double)finite;
    mean = mean < sums.least ? sums.least : mean > sums.most ? sums.most : mean;
    if (finite < n)
        return Py_BuildValue("Odddnnd", Py_None, sums.least, sums.most, mean, sums.nan, sums.inf, share);
    return Py_BuildValue("ddddnnd", sqrt(sums.squares), sums.least, sums.most, mean, sums.nan, sums.inf, share);
}

static PyObject *squares(PyObject *module, PyObject *array)
{
    Py_buffer view;
    char type = open_array(array, &view);
    if (!type)
        Py_RETURN_NONE;
    Py_ssize_t n = view.len / view.itemsize;
    double found;
    PASS(n, found = type == 'f' ? squares_float(view.buf, n) : squares_double(view.buf, n));
    PyBuffer_Release(&view);
    return PyFloat_FromDouble(found);
}

static PyObject *change(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    if (count != 2) {
        PyErr_SetString(PyExc_TypeError, "change takes two arrays");
        return NULL;
    }
    Py_buffer before, after;
    char type = open_array(args[0], &before);
    if (!type)
        Py_RETURN_NONE;
    char other = open_array(args[1], &after);
    if (other != type || after.len != before.len) {
        if (other)
            PyBuffer_Release(&after);
        PyBuffer_Release(&before);
        Py_RETURN_NONE;
    }
    Py_ssize_t n = before.len / before.itemsize, zeros = 0;
    double largest = 0, found;
    PASS(n, found = type == 'f' ? change_float(before.buf, after.buf, n, &largest, &zeros)
                                : change_double(before.buf, after.buf, n, &largest, &zeros));
    PyBuffer_Release(&after);
    PyBuffer_Release(&before);
    if (n == 0 || !isfinite(found) || lossy(type, found, zeros < n))
        Py_RETURN_NONE;
    return Py_BuildValue("ddd", sqrt(found), largest, (double)zeros / (double)n);
}

/* ---- how many entries are of which magnitude ---- */

#define LOWEST (-1074) /* of the exponents that frexp gives for a double */
#define EXPONENTS (1024 - LOWEST + 1)

typedef struct {
    Py_ssize_t counts[EXPONENTS], zeros, bad;
    int first, last;
} Magnitudes;

static inline void count_magnitude(Magnitudes *m, double v)
{
    int exponent;
    if (!isfinite(v))
        m->bad++;
    else if (v == 0)
        m->zeros++;
    else {
        frexp(v, &exponent);
        m->counts[exponent - LOWEST]++;
        m->first = exponent < m->first ? exponent : m->first;
        m->last = exponent > m->last ? exponent : m->last;
    }
}

#define COUNT(T) \
    static void count_##T(const T *x, const T *before, const int64_t *places, Py_ssize_t n, Magnitudes *m) \
    { \
        for (Py_ssize_t i = 0; i < n; i++) { \
            Py_ssize_t at = places == NULL ? i : (Py_ssize_t)places[i]; \
            T v = before == NULL ? x[at] : (T)(x[at] - before[at]); \
            count_magnitude(m, (double)v); \
        } \
    }
COUNT(float)
COUNT(double)

static PyObject *magnitudes_made(const Magnitudes *m, Py_ssize_t seen)
{
    Py_ssize_t some = seen - m->zeros - m->bad, width = some ? m->last - m->first + 1 : 0;
    PyObject *counts = PyList_New(width);
    for (Py_ssize_t i = 0; counts != NULL && i < width; i++) {
        PyObject *count = PyLong_FromSsize_t(m->counts[m->first + i - LOWEST]);
        if (count == NULL)
            Py_CLEAR(counts);
        else
            PyList_SET_ITEM(counts, i, count);
    }
    return counts == NULL ? NULL : Py_BuildValue("nniN", m->zeros, m->bad, some ? m->first : 0, counts);
}

/* Whether places, of int64, are inside an array of so many elements. */
static int all_inside(const Py_buffer *places, Py_ssize_t size)
{
    const int64_t *at = places->buf;
    if (places->itemsize != sizeof(int64_t))
        return 0;
    for (Py_ssize_t i = 0; i < places->len / places->itemsize; i++)
        if (at[i] < 0 || at[i] >= size)
            return 0;
    return 1;
}

static PyObject *magnitudes(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    if (count != 3) {
        PyErr_SetString(PyExc_TypeError, "magnitudes takes an array, an array or None, and places or None");
        return NULL;
    }
    Py_buffer views[3] = {{NULL}};
    PyObject *found = NULL;
    Magnitudes m = {.first = INT_MAX, .last = INT_MIN};
    char type = open_array(args[0], &views[0]);
    if (!type)
        Py_RETURN_NONE;
    Py_ssize_t n = views[0].len / views[0].itemsize;
    if (args[1] != Py_None && (open_array(args[1], &views[1]) != type || views[1].len != views[0].len))
        goto end;
    if (args[2] != Py_None) {
        if (PyObject_GetBuffer(args[2], &views[2], PyBUF_C_CONTIGUOUS) < 0 || !all_inside(&views[2], n))
            goto end;
        n = views[2].len / views[2].itemsize;
    }
    if (type == 'f')
        count_float(views[0].buf, views[1].buf, views[2].buf, n, &m);
    else
        count_double(views[0].buf, views[1].buf, views[2].buf, n, &m);
    found = magnitudes_made(&m, n);
end:
    for (int i = 0; i < 3; i++)
        if (views[i].obj != NULL)
            PyBuffer_Release(&views[i]);
    if (found == NULL && !PyErr_Occurred())
        Py_RETURN_NONE;
    return found;
}

/* ---- standard deviation and histogram ---- */

#define MOST_BINS 64

typedef struct {
    double edges[MOST_BINS + 1], mean, squares;
    Py_ssize_t counts[MOST_BINS];
    int bins;
} Spread;

/* The bin of a value between the first edge and the last; the last edge belongs to the last bin, as in NumPy. */
static inline int bin_of(const Spread *s, double v)
{
    double low = s->edges[0], high = s->edges[s->bins];
    int bin = (int)((v - low) / (high - low) * s->bins);
    bin = bin < 0 ? 0 : bin >= s->bins ? s->bins - 1 : bin;
    while (bin > 0 && v < s->edges[bin])
        bin--;
    while (bin < s->bins - 1 && v >= s->edges[bin + 1])
        bin++;
    return bin;
}

#define SPREAD(T) \
    static void spread_##T(const T *x, Py_ssize_t n, Spread *s) \
    { \
        for (Py_ssize_t i = 0; i < n; i++) { \
            double v = (double)x[i], off = v - s->mean; \
            if (!isfinite(v)) \
                continue; \
            s->squares += off * off; \
            if (s->bins > 1) \
                s->counts[bin_of(s, v)]++; \
            else \
                s->counts[0]++; \
        } \
    }
SPREAD(float)
SPREAD(double)

static int read_edges(PyObject *edges, Spread *s)
{
    Py_ssize_t n = PyList_Check(edges) ? PyList_GET_SIZE(edges) : MOST_BINS + 2;
    if (n > MOST_BINS + 1)
        return -1;
    for (Py_ssize_t i = 0; i < n; i++)
        s->edges[i] = PyFloat_AsDouble(PyList_GET_ITEM(edges, i));
    s->bins = n > 1 ? (int)n - 1 : 0;
    return PyErr_Occurred() ? -1 : 0;
}

static PyObject *spread(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    Spread s = {.squares = 0};
    if (count != 3) {
        PyErr_SetString(PyExc_TypeError, "spread takes an array, its mean and a list of edges");
        return NULL;
    }
    s.mean = PyFloat_AsDouble(args[1]);
    if (PyErr_Occurred() || read_edges(args[2], &s) < 0)
        return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
    Py_buffer view;
    char type = open_array(args[0], &view);
    if (!type)
        Py_RETURN_NONE;
    Py_ssize_t n = view.len / view.itemsize;
    PASS(n, type == 'f' ? spread_float(view.buf, n, &s) : spread_double(view.buf, n, &s));
    PyBuffer_Release(&view);
    PyObject *counts = PyTuple_New(s.bins);
    for (int i = 0; counts != NULL && i < s.bins; i++)
        PyTuple_SET_ITEM(counts, i, PyLong_FromSsize_t(s.counts[i]));
    return counts == NULL ? NULL : Py_BuildValue("dN", s.squares, counts);
}

static PyMethodDef methods[] = {
    {"stats", stats, METH_O,
     "stats(array) -> norm, min, max, mean, NaNs, Infs, share of zeros; None for what NumPy has to measure."},
    {"squares", squares, METH_O, "squares(array) -> their sum; None for what NumPy has to measure."},
    {"change", (PyCFunction)(void (*)(void))change, METH_FASTCALL,
     "change(before, after) -> norm, largest and share of zeros of after - before; None when not all is finite, too."},
    {"magnitudes", (PyCFunction)(void (*)(void))magnitudes, METH_FASTCALL,
     "magnitudes(array, before, places) -> zeros, NaNs and Infs, the least exponent of two, counts from there on; of\n"
     "the change since `before`, at some places only; None for what NumPy has to count."},
    {"spread", (PyCFunction)(void (*)(void))spread, METH_FASTCALL,
     "spread(array, mean, edges) -> sum of the squares of what lies off the mean, and counts between the edges, of\n"
     "what is finite; None for what NumPy has to measure."},
    {NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, .m_name = "_figures", .m_doc = "Figures of float arrays.", .m_methods = methods};

PyMODINIT_FUNC PyInit__figures(void)
{
    return PyModule_Create(&module);
}
