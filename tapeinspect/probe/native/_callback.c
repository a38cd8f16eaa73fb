/* The common case of the op callback: an op that was predicted, inside of the step or outside of all steps.

   `probe/capture.py` has the whole of it in Python, and is called for every op that is anything else. What is done here
   is done there in the same words, so that a recording does not depend on which of them ran: read that first.

   Until `commit` nothing is changed, so that at any doubt the op can be handed to Python. `commit` runs no Python
   code and lets no other thread run: it needs no lock, only that nobody holds it. */

#define PY_SSIZE_T_CLEAN
#include <patchlevel.h>
#if PY_VERSION_HEX >= 0x030B0000 && PY_VERSION_HEX < 0x030E0000 && defined(__has_include)
#if __has_include("internal/pycore_frame.h")
#define FRAMES 1 /* read where the interpreter has them: to make objects of them takes about 1 us an op */
#define Py_BUILD_CORE_MODULE 1
#endif
#endif
#include <Python.h>
#ifdef FRAMES
#include "internal/pycore_frame.h"
#endif
#include <math.h>
#include <pythread.h>
#include <structmember.h>
#include <time.h>

#define RESYNC 200 /* as in capture.py */
#define MANY 64    /* ops with more inputs are handed on */

#define NAMES(X) \
    X(shape) X(busy) X(off) X(armed) X(current) X(open) X(serial) X(position) \
    X(loop) X(key) X(count) X(due) X(spent) X(bytes) X(id) X(locked) X(acquire) X(release) X(flush_in_time) \
    X(trouble) X(any) X(next) X(f_lasti)
#define DECLARE(name) static PyObject *str_##name;
NAMES(DECLARE)

/* ---- what is read from slots by their place in the object ---- */

#define SITE(X) \
    X(raw_type) X(attrs) X(n_inputs) X(n_outputs) X(shapes) X(checks) X(measure) X(held_bytes) X(is_special) X(step) \
    X(next) X(kind) X(stack_id) X(is_assign) X(type) X(looks)
#define PLACE(X) X(depth) X(loop) X(position) X(lasti) X(inner) X(users) X(outer)
#define MEMBER(name) Py_ssize_t name;
typedef struct { SITE(MEMBER) } SiteSlots;
typedef struct { PLACE(MEMBER) } PlaceSlots;
#define AT(object, offset) (*(PyObject **)((char *)(object) + (offset)))

static Py_ssize_t slot_offset(PyTypeObject *type, const char *name)
{
    PyObject *found = PyObject_GetAttrString((PyObject *)type, name);
    Py_ssize_t offset = -1;
    if (found != NULL && Py_IS_TYPE(found, &PyMemberDescr_Type) &&
        ((PyMemberDescrObject *)found)->d_common.d_type == type)
        offset = ((PyMemberDescrObject *)found)->d_member->offset;
    else if (found != NULL)
        PyErr_Format(PyExc_TypeError, "%s.%s is not a slot", type->tp_name, name);
    Py_XDECREF(found);
    return offset;
}

/* ---- the cursor: where in the sequence of ops a thread is; Python reads and writes it, too ---- */

typedef struct {
    PyObject_HEAD
    PyObject *site, *outer, *trail, *last;
    Py_ssize_t index, size;
    long long serial, ended;
} Cursor;

static PyMemberDef cursor_members[] = {
    {"site", T_OBJECT_EX, offsetof(Cursor, site), 0, NULL},
    {"outer", T_OBJECT_EX, offsetof(Cursor, outer), 0, NULL},
    {"trail", T_OBJECT_EX, offsetof(Cursor, trail), 0, NULL},
    {"last", T_OBJECT_EX, offsetof(Cursor, last), 0, NULL},
    {"index", T_PYSSIZET, offsetof(Cursor, index), 0, NULL},
    {"size", T_PYSSIZET, offsetof(Cursor, size), 0, NULL},
    {"serial", T_LONGLONG, offsetof(Cursor, serial), 0, NULL},
    {"ended", T_LONGLONG, offsetof(Cursor, ended), 0, NULL},
    {NULL},
};

static int cursor_traverse(Cursor *self, visitproc visit, void *arg)
{
    Py_VISIT(self->site);
    Py_VISIT(self->outer);
    Py_VISIT(self->trail);
    Py_VISIT(self->last);
    return 0;
}

static int cursor_clear(Cursor *self)
{
    Py_CLEAR(self->site);
    Py_CLEAR(self->outer);
    Py_CLEAR(self->trail);
    Py_CLEAR(self->last);
    return 0;
}

static void cursor_dealloc(Cursor *self)
{
    PyObject_GC_UnTrack(self);
    cursor_clear(self);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyTypeObject CursorType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "tapeinspect.probe.native._callback.Cursor",
    .tp_basicsize = sizeof(Cursor),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_new = PyType_GenericNew,
    .tp_members = cursor_members,
    .tp_traverse = (traverseproc)cursor_traverse,
    .tp_clear = (inquiry)cursor_clear,
    .tp_dealloc = (destructor)cursor_dealloc,
};

/* ---- the callback ---- */

#define OBJECTS(X) \
    X(slow) X(cursor) X(recorder) X(state) X(tracker) X(running) X(gate) X(sink) X(lock) X(tapes) X(marks) X(buffer) \
    X(sites) X(held) X(hold) X(hold_size) X(possible) X(thread) X(squares) X(getframe) X(site_type) \
    X(place_type) X(tensor_type) X(on_assign) X(trim)
#define FIELD(name) PyObject *name;

typedef struct {
    PyObject_HEAD
    vectorcallfunc vectorcall;
    OBJECTS(FIELD)
    long long started, budget, taken;
    unsigned long ident;
    PyGetSetDef *id;                      /* of tensor_type, whose attributes Python looks up slowly */
    PyCFunction shape_tuple, numpy_array; /* its methods */
    SiteSlots s;
    PlaceSlots p;
    char frames_agree;
} Callback;

static inline long long now_ns(void)
{
#ifdef __APPLE__
    return (long long)clock_gettime_nsec_np(CLOCK_UPTIME_RAW);
#else
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (long long)t.tv_sec * 1000000000LL + t.tv_nsec;
#endif
}

/* Whether an attribute is true; -1 when it cannot be told. */
static inline int flag(PyObject *owner, PyObject *name)
{
    PyObject *value = PyObject_GetAttr(owner, name);
    if (value == NULL)
        return -1;
    int truth = value == Py_True ? 1 : value == Py_False ? 0 : PyObject_IsTrue(value);
    Py_DECREF(value);
    return truth;
}

/* An attribute that is a whole number; -1 with an error set when it is none. */
static inline long long number(PyObject *owner, PyObject *name)
{
    PyObject *value = PyObject_GetAttr(owner, name);
    if (value == NULL)
        return -1;
    long long n = PyLong_AsLongLong(value);
    Py_DECREF(value);
    return n;
}

static inline int set_number(PyObject *owner, PyObject *name, long long n)
{
    PyObject *value = PyLong_FromLongLong(n);
    if (value == NULL)
        return -1;
    int result = PyObject_SetAttr(owner, name, value);
    Py_DECREF(value);
    return result;
}

static inline int same(PyObject *a, PyObject *b)
{
    return a == b ? 1 : PyObject_RichCompareBool(a, b, Py_EQ);
}

/* The frame so many calls above the op's own code, which is 1; NULL without an error when there is none. */
static PyObject *frame_at(Callback *self, long depth)
{
    PyObject *level = PyLong_FromLong(depth - 1);
    if (level == NULL)
        return NULL;
    PyObject *frame = PyObject_CallOneArg(self->getframe, level);
    Py_DECREF(level);
    if (frame == NULL && PyErr_ExceptionMatches(PyExc_ValueError))
        PyErr_Clear();
    return frame;
}

static long lasti_of(PyObject *frame)
{
#if PY_VERSION_HEX >= 0x030B0000
    return PyFrame_GetLasti((PyFrameObject *)frame);
#else
    return (long)number(frame, str_f_lasti);
#endif
}

#ifdef FRAMES
#if PY_VERSION_HEX >= 0x030D0000
#define CURRENT(state) (state)->current_frame
#define CODE(frame) ((PyObject *)_PyFrame_GetCode(frame))
#else
#define CURRENT(state) (state)->cframe->current_frame
#define CODE(frame) ((PyObject *)(frame)->f_code)
#endif

static inline _PyInterpreterFrame *complete(_PyInterpreterFrame *frame)
{
    while (frame != NULL && _PyFrame_IsIncomplete(frame))
        frame = frame->previous;
    return frame;
}

/* As frame_at, without making an object of it. */
static inline _PyInterpreterFrame *inner_frame_at(long depth)
{
    _PyInterpreterFrame *frame = complete(CURRENT(PyThreadState_GET()));
    for (long level = 1; level < depth && frame != NULL; level++)
        frame = complete(frame->previous);
    return frame;
}

static inline long inner_lasti_of(_PyInterpreterFrame *frame)
{
    long lasti = _PyInterpreterFrame_LASTI(frame);
    return lasti < 0 ? -1 : lasti * (long)sizeof(_Py_CODEUNIT);
}

/* Whether the interpreter that runs has its frames where the one it was compiled for had them, seen on this stack. */
static int frames_agree(Callback *self)
{
    if (Py_Version != PY_VERSION_HEX)
        return 0;
    for (long depth = 1;; depth++) {
        PyObject *frame = frame_at(self, depth);
        _PyInterpreterFrame *inner = inner_frame_at(depth);
        if (frame == NULL)
            return inner == NULL && !PyErr_Occurred();
        PyCodeObject *code = PyFrame_GetCode((PyFrameObject *)frame);
        int same = inner != NULL && inner->frame_obj == (PyFrameObject *)frame && CODE(inner) == (PyObject *)code &&
                   inner_lasti_of(inner) == lasti_of(frame);
        Py_DECREF(code);
        Py_DECREF(frame);
        if (!same)
            return 0;
    }
}

/* As stands, without making objects of frames. */
static int inner_stands(PyObject *checks)
{
    Py_ssize_t n = PyTuple_GET_SIZE(checks);
    _PyInterpreterFrame *frame = complete(CURRENT(PyThreadState_GET()));
    long at = 1;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *check = PyTuple_GET_ITEM(checks, i);
        long depth = PyLong_AsLong(PyTuple_GET_ITEM(check, 0));
        if (depth < at) {
            frame = inner_frame_at(depth);
            at = depth;
        }
        for (; at < depth && frame != NULL; at++)
            frame = complete(frame->previous);
        if (frame == NULL || CODE(frame) != PyTuple_GET_ITEM(check, 1) ||
            inner_lasti_of(frame) != PyLong_AsLong(PyTuple_GET_ITEM(check, 2)))
            return PyErr_Occurred() ? -1 : 0;
    }
    return 1;
}
#endif

/* Whether the frames are where they were: 1, 0 or -1. */
static int stands(Callback *self, PyObject *checks)
{
#ifdef FRAMES
    if (self->frames_agree)
        return inner_stands(checks);
#endif
    Py_ssize_t n = PyTuple_GET_SIZE(checks);
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *check = PyTuple_GET_ITEM(checks, i);
        PyObject *frame = frame_at(self, PyLong_AsLong(PyTuple_GET_ITEM(check, 0)));
        if (frame == NULL)
            return PyErr_Occurred() ? -1 : 0;
        PyCodeObject *code = PyFrame_GetCode((PyFrameObject *)frame);
        int good = (PyObject *)code == PyTuple_GET_ITEM(check, 1) &&
                   lasti_of(frame) == PyLong_AsLong(PyTuple_GET_ITEM(check, 2));
        Py_DECREF(code);
        Py_DECREF(frame);
        if (!good)
            return PyErr_Occurred() ? -1 : 0;
    }
    return 1;
}

/* ---- tensors: what they are asked is C code of TensorFlow's, called without Python looking for it ---- */

static inline int is_tensor(Callback *self, PyObject *tensor)
{
    if (Py_TYPE(tensor) == (PyTypeObject *)self->tensor_type)
        return 1;
    PyErr_SetString(PyExc_TypeError, "not an eager tensor");
    return 0;
}

/* The id of a tensor; -1 with an error set when it has none. */
static inline long long id_of(Callback *self, PyObject *tensor)
{
    PyObject *id = is_tensor(self, tensor) ? self->id->get(tensor, self->id->closure) : NULL;
    if (id == NULL)
        return -1;
    long long n = PyLong_AsLongLong(id);
    Py_DECREF(id);
    return n;
}

static inline PyObject *array_of(Callback *self, PyObject *tensor)
{
    return is_tensor(self, tensor) ? self->numpy_array(tensor, NULL) : NULL;
}

static int has_shape(Callback *self, PyObject *tensor, PyObject *wanted)
{
    PyObject *shape = is_tensor(self, tensor) ? self->shape_tuple(tensor, NULL) : NULL;
    if (shape == NULL)
        return -1;
    int equal = same(shape, wanted);
    Py_DECREF(shape);
    return equal;
}

/* A method without arguments of the type of tensors; NULL with an error set when it is anything else. */
static PyCFunction method_of(PyObject *type, const char *name)
{
    PyObject *found = PyObject_GetAttrString(type, name);
    PyCFunction function = NULL;
    if (found != NULL && Py_IS_TYPE(found, &PyMethodDescr_Type) &&
        (((PyMethodDescrObject *)found)->d_method->ml_flags & ~METH_COEXIST) == METH_NOARGS)
        function = ((PyMethodDescrObject *)found)->d_method->ml_meth;
    else if (found != NULL)
        PyErr_Format(PyExc_TypeError, "%s of a tensor is no method in C", name);
    Py_XDECREF(found);
    return function;
}

static PyGetSetDef *getter_of(PyObject *type, const char *name)
{
    PyObject *found = PyObject_GetAttrString(type, name);
    PyGetSetDef *getter = NULL;
    if (found != NULL && Py_IS_TYPE(found, &PyGetSetDescr_Type))
        getter = ((PyGetSetDescrObject *)found)->d_getset;
    else if (found != NULL)
        PyErr_Format(PyExc_TypeError, "%s of a tensor is no attribute in C", name);
    Py_XDECREF(found);
    return getter;
}

/* Whether the frame at a depth is one that is known: 1, 0, or -1 when there is none. *there: at this instruction. */
static int is_at(Callback *self, long depth, void *known, long lasti, int *there)
{
#ifdef FRAMES
    if (self->frames_agree) {
        _PyInterpreterFrame *inner = inner_frame_at(depth);
        if (inner == NULL)
            return -1;
        *there = inner_lasti_of(inner) == lasti;
        return known != NULL && (void *)inner->frame_obj == known;
    }
#endif
    PyObject *frame = frame_at(self, depth);
    if (frame == NULL)
        return PyErr_Occurred() ? 0 : -1;
    *there = lasti_of(frame) == lasti;
    int same = (void *)frame == known;
    Py_DECREF(frame);
    return same;
}

typedef struct {
    PyObject *op_type, *inputs, *attrs, *outputs;
    Py_ssize_t n_in, n_out;
} Op;

/* What an op's outputs must be for a guess to be right: 1, 0 or -1. *array: a new reference to the first's values. */
static int outputs_match(Callback *self, PyObject *guess, Op *op, long measure, PyObject **array)
{
    PyObject *shapes = AT(guess, self->s.shapes);
    if (op->n_out == 1 && measure > 0) {
        if (*array == NULL) {
            *array = array_of(self, PySequence_Fast_GET_ITEM(op->outputs, 0));
            if (*array == NULL)
                return -1;
        }
        PyObject *shape = PyObject_GetAttr(*array, str_shape);
        if (shape == NULL)
            return -1;
        int equal = same(shape, PyTuple_GET_ITEM(shapes, 0));
        Py_DECREF(shape);
        return equal;
    }
    for (Py_ssize_t i = 0; i < op->n_out; i++) {
        int equal = has_shape(self, PySequence_Fast_GET_ITEM(op->outputs, i), PyTuple_GET_ITEM(shapes, i));
        if (equal != 1)
            return equal;
    }
    return 1;
}

/* Whether a guess is the op's site, and one that needs nothing of Python: 1, 0 or -1 (an error, or not for us). */
static int matches(Callback *self, PyObject *guess, PyObject *wanted, Op *op, PyObject **array)
{
    Cursor *cursor = (Cursor *)self->cursor;
    int equal = same(AT(guess, self->s.raw_type), op->op_type);
    if (equal != 1)
        return equal;
    if (PyLong_AsSsize_t(AT(guess, self->s.n_inputs)) != op->n_in ||
        PyLong_AsSsize_t(AT(guess, self->s.n_outputs)) != op->n_out)
        return 0;
    equal = same(AT(guess, self->s.attrs), op->attrs);
    if (equal != 1)
        return equal;
    long measure = PyLong_AsLong(AT(guess, self->s.measure));
    if (measure > 1 || AT(guess, self->s.looks) != Py_False ||
        (AT(guess, self->s.is_special) != Py_False && AT(guess, self->s.is_assign) != Py_True))
        return -1;
    equal = outputs_match(self, guess, op, measure, array);
    if (equal != 1)
        return equal;
    PyObject *place = AT(guess, self->s.step);
    if (place == Py_None)
        return stands(self, AT(guess, self->s.checks));
    if (Py_TYPE(place) != (PyTypeObject *)self->place_type || AT(place, self->p.outer) != cursor->outer)
        return -1;
    PyObject *key = PyObject_GetAttr(self->running, str_key);
    if (key == NULL)
        return -1;
    void *running = PyLong_AsVoidPtr(key);
    Py_DECREF(key);
    int there = 0, inside = is_at(self, PyLong_AsLong(AT(place, self->p.depth)), running,
                                  PyLong_AsLong(AT(place, self->p.lasti)), &there);
    if (inside < 0)
        return PyErr_Occurred() ? -1 : 0;
    if (PyErr_Occurred() || !inside) /* Python looks at the whole stack */
        return -1;
    if (!there)
        return 0;
    return stands(self, AT(place, guess == wanted ? self->p.users : self->p.inner));
}

/* Whether the thread is in the step, and at the place in it, that a site says: 1, 0 or -1. */
static int in_sequence(Callback *self, PyObject *place)
{
    Cursor *cursor = (Cursor *)self->cursor;
    if (number(self->tracker, str_serial) != cursor->serial)
        return PyErr_Occurred() ? -1 : 0;
    if (place == Py_None) {
        int open = flag(self->tracker, str_open);
        return open < 0 ? -1 : !open;
    }
    PyObject *position = PyObject_GetAttr(self->tracker, str_position);
    PyObject *loop = PyObject_GetAttr(self->tracker, str_loop);
    int result = -1;
    if (position != NULL && loop != NULL)
        result = loop == AT(place, self->p.loop) ? same(position, AT(place, self->p.position)) : 0;
    Py_XDECREF(position);
    Py_XDECREF(loop);
    return result;
}

static char *write_number(char *at, long long n)
{
    char digits[20];
    int count = 0;
    if (n < 0)
        *at++ = '-';
    unsigned long long left = n < 0 ? 0ULL - (unsigned long long)n : (unsigned long long)n;
    do
        digits[count++] = (char)('0' + left % 10);
    while (left /= 10);
    while (count)
        *at++ = digits[--count];
    return at;
}

static PyObject *ids_text(Callback *self, Op *op)
{
    char text[MANY * 21 + 3];
    char *end = text;
    *end++ = '[';
    for (Py_ssize_t i = 0; i < op->n_in; i++) {
        long long id = id_of(self, PySequence_Fast_GET_ITEM(op->inputs, i));
        if (id == -1 && PyErr_Occurred())
            return NULL;
        if (i)
            *end++ = ',';
        end = write_number(end, id);
    }
    *end++ = ']';
    return PyUnicode_FromKindAndData(PyUnicode_1BYTE_KIND, text, end - text);
}

/* The id of the first output; NULL when it has none, or those of the others do not follow it. */
static PyObject *made_of(Callback *self, Op *op)
{
    if (op->n_out == 0)
        return Py_NewRef(Py_None);
    long long first = id_of(self, PySequence_Fast_GET_ITEM(op->outputs, 0));
    if (op->n_out > 1 && id_of(self, PySequence_Fast_GET_ITEM(op->outputs, op->n_out - 1)) != first + op->n_out - 1)
        return NULL;
    return first == -1 && PyErr_Occurred() ? NULL : PyLong_FromLongLong(first);
}

/* The norm of an output's values; NULL without an error when Python has to look closely. */
static PyObject *norm_of(Callback *self, PyObject *array)
{
    PyObject *squares = PyObject_CallOneArg(self->squares, array);
    if (squares == NULL)
        return NULL;
    double norm = PyFloat_AsDouble(squares);
    Py_DECREF(squares);
    if (PyErr_Occurred())
        return NULL;
    norm = sqrt(norm);
    if (norm > 0.0 && norm < HUGE_VAL)
        return PyFloat_FromDouble(norm);
    if (norm != 0.0)
        return NULL;
    PyObject *any = PyObject_CallMethodNoArgs(array, str_any);
    int some = any == NULL ? 1 : PyObject_IsTrue(any);
    Py_XDECREF(any);
    return some ? NULL : PyFloat_FromDouble(0.0);
}

/* The tape that records the op, None for none; NULL when Python has to tell. */
static PyObject *tape_of(Callback *self, Op *op)
{
    Py_ssize_t open = PyList_GET_SIZE(self->tapes);
    if (open == 0 || self->possible == Py_None)
        return Py_NewRef(Py_None);
    PyObject *possible = PyObject_CallOneArg(self->possible, op->inputs);
    if (possible == NULL)
        return NULL;
    int records = PyObject_IsTrue(possible);
    Py_DECREF(possible);
    if (records == 0)
        return Py_NewRef(Py_None);
    if (records < 0 || open != 1 || PyList_GET_SIZE(self->tapes) != 1)
        return NULL;
    return PyObject_GetAttr(PyList_GET_ITEM(self->tapes, 0), str_id);
}

/* Where in the last step the next op is looked for, once this one has been found. */
static void advance(Cursor *cursor, PyObject *found, PyObject *wanted)
{
    if (found == wanted) {
        cursor->index++;
        return;
    }
    Py_ssize_t end = Py_MIN(PyList_GET_SIZE(cursor->last), cursor->index + RESYNC);
    for (Py_ssize_t i = cursor->index; cursor->size && i < end; i++)
        if (PyList_GET_ITEM(cursor->last, i) == found) {
            cursor->index = i + 1;
            return;
        }
}

static int set_next(Callback *self, PyObject *site, PyObject *found)
{
    if (Py_TYPE(site) != (PyTypeObject *)self->site_type)
        return PyObject_SetAttr(site, str_next, found);
    PyObject *old = AT(site, self->s.next);
    if (old != found) {
        AT(site, self->s.next) = Py_NewRef(found);
        Py_XDECREF(old); /* the table of sites holds it */
    }
    return 0;
}

enum { COUNT, STEP, KIND, STACK, THREAD, TIME, TOOK, TAPE, TAKEN, MADE, NORM, WIDTH };

/* Everything that a recording has of an op. Runs no Python code, so nobody sees it half done. */
static int commit(Callback *self, PyObject *found, PyObject *wanted, Op *op, PyObject **row)
{
    Cursor *cursor = (Cursor *)self->cursor;
    if (set_next(self, cursor->site, found) < 0)
        return -1;
    Py_SETREF(cursor->site, Py_NewRef(found));
    advance(cursor, found, wanted);
    if (cursor->serial && PyList_Append(cursor->trail, found) < 0)
        return -1;
    if (row[TAPE] != Py_None) {
        PyObject *key = PyLong_FromVoidPtr(op->attrs);
        if (key == NULL || PyDict_SetItem(self->marks, key, row[COUNT]) < 0) {
            Py_XDECREF(key);
            return -1;
        }
        Py_DECREF(key);
    }
    if (PyObject_SetAttr(self->sink, str_count, row[COUNT]) < 0)
        return -1;
    for (int i = 0; i < WIDTH; i++)
        if (PyList_Append(self->buffer, row[i]) < 0)
            return -1;
    return PyList_Append(self->sites, found);
}

/* Call what may run code of the script's, or ops: under the lock, and its ops unseen. */
static int guarded(Callback *self, PyObject *function, PyObject *first, PyObject *second)
{
    PyObject *done = PyObject_CallMethodNoArgs(self->lock, str_acquire);
    if (done == NULL)
        return -1;
    Py_DECREF(done);
    int result = PyObject_SetAttr(self->state, str_busy, Py_True);
    done = PyObject_CallFunctionObjArgs(function, first, second, NULL);
    PyObject *type, *value, *trace;
    PyErr_Fetch(&type, &value, &trace);
    result |= PyObject_SetAttr(self->state, str_busy, Py_False);
    PyObject *released = PyObject_CallMethodNoArgs(self->lock, str_release);
    if (done == NULL || released == NULL)
        result = -1;
    Py_XDECREF(done);
    Py_XDECREF(released);
    if (type != NULL)
        PyErr_Restore(type, value, trace);
    return result;
}

/* Keep the outputs alive; the oldest go when the budget is spent. */
static int keep(Callback *self, PyObject *found, Op *op)
{
    PyObject *bytes_kept = AT(found, self->s.held_bytes);
    long long size = PyLong_AsLongLong(bytes_kept);
    if (size == 0)
        return 0;
    PyObject *kept = op->n_out == 1 ? Py_NewRef(PySequence_Fast_GET_ITEM(op->outputs, 0))
                                    : PySequence_Tuple(op->outputs);
    PyObject *done = kept == NULL ? NULL : PyObject_CallOneArg(self->hold, kept);
    Py_XDECREF(kept);
    if (done == NULL)
        return -1;
    Py_DECREF(done);
    done = PyObject_CallOneArg(self->hold_size, bytes_kept);
    if (done == NULL)
        return -1;
    Py_DECREF(done);
    long long bytes = number(self->held, str_bytes);
    if (PyErr_Occurred() || set_number(self->held, str_bytes, bytes + size) < 0)
        return -1;
    return bytes + size <= self->budget ? 0 : guarded(self, self->trim, NULL, NULL);
}

static int assigned(Callback *self, PyObject *found, Op *op)
{
    if (AT(found, self->s.is_assign) != Py_True)
        return 0;
    return guarded(self, self->on_assign, AT(found, self->s.type), op->inputs);
}

/* Hand an error on as Python's callback does: recording ends, the script goes on. */
static void report(Callback *self)
{
    PyObject *type, *value, *trace;
    PyErr_Fetch(&type, &value, &trace);
    PyErr_NormalizeException(&type, &value, &trace);
    PyObject *part = PyUnicode_FromString("ops");
    PyObject *done = part == NULL || value == NULL
                         ? NULL
                         : PyObject_CallMethodObjArgs(self->recorder, str_trouble, part, value, NULL);
    Py_XDECREF(part);
    Py_XDECREF(done);
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(trace);
    PyErr_Clear();
}

/* Whether nothing is under way that Python has to see to. */
static int at_ease(Callback *self)
{
    if (PyThread_get_thread_ident() != self->ident || flag(self->gate, str_armed) != 0)
        return 0;
    PyObject *locked = PyObject_CallMethodNoArgs(self->lock, str_locked);
    int held = locked == NULL ? 1 : locked != Py_False;
    Py_XDECREF(locked);
    return !held;
}

/* Record an op: 1, or 0 when Python has to. */
static int record(Callback *self, Op *op, long long begun)
{
    Cursor *cursor = (Cursor *)self->cursor;
    PyObject *wanted = cursor->index < cursor->size && cursor->index < PyList_GET_SIZE(cursor->last)
                           ? PyList_GET_ITEM(cursor->last, cursor->index)
                           : NULL;
    PyObject *next = Py_TYPE(cursor->site) == (PyTypeObject *)self->site_type ? AT(cursor->site, self->s.next) : NULL;
    PyObject *guesses[2] = {wanted, next};
    PyObject *found = NULL, *array = NULL, *row[WIDTH] = {NULL};
    int done = 0;
    for (int i = 0; i < 2 && found == NULL; i++) {
        PyObject *guess = guesses[i];
        if (guess == NULL || Py_TYPE(guess) != (PyTypeObject *)self->site_type)
            continue;
        int match = matches(self, guess, wanted, op, &array);
        if (match < 0)
            goto end;
        if (match)
            found = Py_NewRef(guess);
    }
    if (found == NULL || in_sequence(self, AT(found, self->s.step)) != 1)
        goto end;
    long measure = PyLong_AsLong(AT(found, self->s.measure));
    if (op->n_out && measure) {
        if (array == NULL)
            array = array_of(self, PySequence_Fast_GET_ITEM(op->outputs, 0));
        if (array == NULL || (row[NORM] = norm_of(self, array)) == NULL)
            goto end;
    }
    else
        row[NORM] = Py_NewRef(Py_None);
    if ((row[TAPE] = tape_of(self, op)) == NULL || (row[TAKEN] = ids_text(self, op)) == NULL ||
        (row[MADE] = made_of(self, op)) == NULL)
        goto end;
    long long count = number(self->sink, str_count);
    if (PyErr_Occurred() || (row[STEP] = PyObject_GetAttr(self->tracker, str_current)) == NULL ||
        (row[COUNT] = PyLong_FromLongLong(count + 1)) == NULL ||
        (row[TIME] = PyLong_FromLongLong((begun - self->started) / 1000)) == NULL ||
        (row[TOOK] = PyLong_FromLongLong(begun - cursor->ended)) == NULL)
        goto end;
    row[KIND] = Py_NewRef(AT(found, self->s.kind));
    row[STACK] = Py_NewRef(AT(found, self->s.stack_id));
    row[THREAD] = Py_NewRef(self->thread);
    /* A large tensor lets other threads run: they may have begun something, or recorded ops of their own */
    if (!at_ease(self) || number(self->sink, str_count) != count || PyErr_Occurred())
        goto end;
    done = 1;
    if (commit(self, found, wanted, op, row) < 0 || keep(self, found, op) < 0 || assigned(self, found, op) < 0)
        report(self);
end:
    for (int i = 0; i < WIDTH; i++)
        Py_XDECREF(row[i]);
    Py_XDECREF(array);
    Py_XDECREF(found);
    return done;
}

static int is_sequence(PyObject *object)
{
    return PyTuple_CheckExact(object) || PyList_CheckExact(object);
}

static PyObject *callback_call(Callback *self, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    Py_ssize_t n = PyVectorcall_NARGS(nargsf);
    int busy = flag(self->state, str_busy), off = flag(self->recorder, str_off);
    if (busy == 1 || off == 1)
        Py_RETURN_NONE;
    /* in a graph there is one more argument, or a named one */
    if (busy == 0 && off == 0 && n >= 4 && n <= 5 && (kwnames == NULL || PyTuple_GET_SIZE(kwnames) == 0) &&
        is_sequence(args[1]) && is_sequence(args[3]) && at_ease(self)) {
        long long begun = now_ns();
        Op op = {args[0], args[1], args[2], args[3], PySequence_Fast_GET_SIZE(args[1]),
                 PySequence_Fast_GET_SIZE(args[3])};
        if (op.n_in <= MANY && record(self, &op, begun)) {
            self->taken++;
            Cursor *cursor = (Cursor *)self->cursor;
            long long spent = number(self->recorder, str_spent);
            cursor->ended = now_ns();
            set_number(self->recorder, str_spent, spent + cursor->ended - begun);
            if (number(self->sink, str_due) < cursor->ended) {
                PyObject *done = PyObject_CallMethodNoArgs(self->recorder, str_flush_in_time);
                if (done == NULL)
                    return NULL;
                Py_DECREF(done);
            }
            Py_RETURN_NONE;
        }
    }
    PyErr_Clear();
    return PyObject_Vectorcall(self->slow, args, nargsf & ~PY_VECTORCALL_ARGUMENTS_OFFSET, kwnames);
}

static int callback_init(Callback *self, PyObject *args, PyObject *kwargs)
{
    if (PyTuple_GET_SIZE(args) || kwargs == NULL) {
        PyErr_SetString(PyExc_TypeError, "Callback takes its parts by name");
        return -1;
    }
#define TAKE(name) \
    { \
        PyObject *given = PyDict_GetItemString(kwargs, #name); \
        if (given == NULL) { \
            PyErr_SetString(PyExc_TypeError, "Callback needs " #name); \
            return -1; \
        } \
        Py_XSETREF(self->name, Py_NewRef(given)); \
    }
    OBJECTS(TAKE)
    if (!Py_IS_TYPE(self->cursor, &CursorType) || !PyList_CheckExact(self->tapes) || !PyDict_Check(self->marks) ||
        !PyList_CheckExact(self->buffer) || !PyList_CheckExact(self->sites) || !PyType_Check(self->site_type) ||
        !PyType_Check(self->place_type) || !PyType_Check(self->tensor_type)) {
        PyErr_SetString(PyExc_TypeError, "a part of Callback is not what it was made for");
        return -1;
    }
#define SLOT_OF_SITE(name) \
    if ((self->s.name = slot_offset((PyTypeObject *)self->site_type, #name)) < 0) \
        return -1;
#define SLOT_OF_PLACE(name) \
    if ((self->p.name = slot_offset((PyTypeObject *)self->place_type, #name)) < 0) \
        return -1;
    SITE(SLOT_OF_SITE)
    PLACE(SLOT_OF_PLACE)
    PyObject *clock = PyDict_GetItemString(kwargs, "now"), *started = PyDict_GetItemString(kwargs, "started");
    PyObject *budget = PyDict_GetItemString(kwargs, "budget");
    if (clock == NULL || started == NULL || budget == NULL) {
        PyErr_SetString(PyExc_TypeError, "Callback needs now, started and budget");
        return -1;
    }
    if ((self->id = getter_of(self->tensor_type, "_id")) == NULL ||
        (self->shape_tuple = method_of(self->tensor_type, "_shape_tuple")) == NULL ||
        (self->numpy_array = method_of(self->tensor_type, "_numpy_internal")) == NULL)
        return -1;
    self->started = PyLong_AsLongLong(started);
    self->budget = PyLong_AsLongLong(budget);
    long long apart = now_ns() - PyLong_AsLongLong(clock);
    if (PyErr_Occurred())
        return -1;
    if (apart < 0 || apart > 5000000000LL) {
        PyErr_SetString(PyExc_RuntimeError, "the clock is not that of time.perf_counter_ns");
        return -1;
    }
#ifdef FRAMES
    self->frames_agree = (char)frames_agree(self);
    if (PyErr_Occurred())
        return -1;
#endif
    self->ident = PyThread_get_thread_ident();
    self->vectorcall = (vectorcallfunc)callback_call;
    return 0;
}

static PyObject *callback_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return type->tp_alloc(type, 0);
}

static int callback_traverse(Callback *self, visitproc visit, void *arg)
{
#define VISIT(name) Py_VISIT(self->name);
    OBJECTS(VISIT)
    return 0;
}

static int callback_clear(Callback *self)
{
#define CLEAR(name) Py_CLEAR(self->name);
    OBJECTS(CLEAR)
    return 0;
}

static void callback_dealloc(Callback *self)
{
    PyObject_GC_UnTrack(self);
    callback_clear(self);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyMemberDef callback_members[] = {
    {"taken", T_LONGLONG, offsetof(Callback, taken), READONLY, "Ops that Python had nothing to do with."},
    {"reads_frames", T_BOOL, offsetof(Callback, frames_agree), READONLY, "Whether no frame objects are made."},
    {NULL},
};

static PyTypeObject CallbackType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "tapeinspect.probe.native._callback.Callback",
    .tp_basicsize = sizeof(Callback),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL,
    .tp_vectorcall_offset = offsetof(Callback, vectorcall),
    .tp_call = PyVectorcall_Call,
    .tp_members = callback_members,
    .tp_new = callback_new,
    .tp_init = (initproc)callback_init,
    .tp_traverse = (traverseproc)callback_traverse,
    .tp_clear = (inquiry)callback_clear,
    .tp_dealloc = (destructor)callback_dealloc,
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, .m_name = "_callback", .m_doc = "The common case of the op callback.", .m_size = -1};

PyMODINIT_FUNC PyInit__callback(void)
{
#define INTERN(name) \
    if ((str_##name = PyUnicode_InternFromString(#name)) == NULL) \
        return NULL;
    NAMES(INTERN)
    if (PyType_Ready(&CursorType) < 0 || PyType_Ready(&CallbackType) < 0)
        return NULL;
    PyObject *made = PyModule_Create(&module);
    if (made == NULL || PyModule_AddObjectRef(made, "Cursor", (PyObject *)&CursorType) < 0 ||
        PyModule_AddObjectRef(made, "Callback", (PyObject *)&CallbackType) < 0)
        return NULL;
    return made;
}
