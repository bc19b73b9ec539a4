/* writer_matrix.c - matrices as what they are stored as, piece by piece: the one part of writer.h that knows matrix types */
#include "writer.h"

/* Matrices go out in pieces of about so many bytes. */
enum { PIECE_BYTES = 1 << 20 };

/* Rows of one piece: whole panels, about a megabyte of floats. */
static size_t piece_rows(const matrix_source *source)
{
    const size_t panel = LANES * source->cols * 4, panels = panel < PIECE_BYTES ? PIECE_BYTES / panel : 1;
    return panels * LANES;
}

void writer_matrix(writer *w, uint32_t role, const matrix_type *type, const matrix_source *source)
{
    const size_t rows = piece_rows(source);
    matrix_source piece = *source;
    if (type->size(source) >= matrix_f32.size(source))
        type = &matrix_f32;
    if (writer_add_entry(w, source->name, role, type->type, LAYOUT_PANELS, source->count, source->rows, source->cols,
                         type->size(source)) != 0)
        return;
    piece.count = 1;
    for (size_t i = 0; i < source->count; i++)
        for (size_t first = 0; first < source->rows && !w->failed; first += rows) {
            unsigned char *place;
            piece.rows = source->rows - first < rows ? source->rows - first : rows;
            place = writer_wait(w, type->size(&piece));
            if (place)
                type->pack(w, place, source, i, first, piece.rows);
            writer_put(w, w->place, w->waiting);
            w->waiting = 0;
            tensor_source_read(w->source, piece.rows * source->cols * w->value_size);
        }
}
