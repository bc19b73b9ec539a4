/*
 * b2s6.hpp - libb2s6 in C++11: handles that close themselves, exceptions instead of statuses
 *
 * A header to copy. It adds nothing to the library but owners: a b2s6::model may be copied (all copies share one open
 * file), a b2s6::state keeps its model open, and a copy of a state is a fork of the stream. Threads as in b2s6.h: a model
 * serves any number of them, a state one at a time.
 *
 *     b2s6::model model("digits.b2s6");
 *     b2s6::state state(model);
 *     while (next(&sample))
 *         scores = &state.step(&sample, 1);
 */
#ifndef B2S6_HPP
#define B2S6_HPP

#include <b2s6.h>

#include <cmath>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace b2s6 {

/* What every function here throws, but for std::bad_alloc: a status and its line of English. */
class error : public std::runtime_error {
    b2s6_status status_;

public:
    error(b2s6_status status, const std::string &text) : std::runtime_error(text), status_(status) {}
    b2s6_status status() const { return status_; }
};

/* Throws unless status is B2S6_OK. where: the text to use, or none for the status's own. */
inline void check(b2s6_status status, const std::string &text = std::string())
{
    if (status == B2S6_ERROR_MEMORY)
        throw std::bad_alloc();
    if (status != B2S6_OK)
        throw error(status, text.empty() ? b2s6_status_text(status) : text);
}

class model {
    std::shared_ptr<const b2s6_model> handle_;

public:
    /* Opens a file; isa: an instruction set by name, or null for the best of this machine. */
    explicit model(const std::string &path, const char *isa = nullptr)
    {
        b2s6_open_options options = B2S6_OPEN_OPTIONS;
        b2s6_model *opened = nullptr;
        b2s6_error wrong = b2s6_error();
        options.isa = isa;
        const b2s6_status status = b2s6_model_open_file(&opened, path.c_str(), &options, &wrong);
        check(status, path + ": " + wrong.message);
        handle_.reset(opened, [](b2s6_model *m) { b2s6_model_close(m); });
    }
    const b2s6_model *get() const { return handle_.get(); }
    b2s6_model_info info() const
    {
        b2s6_model_info filled = b2s6_model_info();
        filled.struct_size = sizeof filled;
        check(b2s6_model_describe(get(), &filled));
        return filled;
    }
    /* The value of a key of the file's metadata; fallback if it is not there. */
    std::string metadata(const std::string &key, const std::string &fallback = std::string()) const
    {
        const char *value = b2s6_model_metadata(get(), key.c_str());
        return value ? value : fallback;
    }
};

/* One stream, with room for its last output row. */
class state {
    struct destroy {
        void operator()(b2s6_state *s) const { b2s6_state_destroy(s); }
    };
    model model_; /* first, so that it is closed last */
    std::unique_ptr<b2s6_state, destroy> handle_;
    std::vector<float> row_; /* (output_size) */

public:
    explicit state(const model &of) : model_(of), row_(of.info().output_size)
    {
        b2s6_state *created = nullptr;
        check(b2s6_state_create(&created, of.get(), nullptr));
        handle_.reset(created);
    }
    state(const state &other) : state(other.model_) { *this = other; }
    state(state &&) = default;
    state &operator=(state &&other) noexcept /* the old stream goes with other, before its model does */
    {
        std::swap(model_, other.model_);
        handle_.swap(other.handle_);
        row_.swap(other.row_);
        return *this;
    }
    /* Goes on where other is; throws unless both are of one model. */
    state &operator=(const state &other)
    {
        check(b2s6_state_copy(get(), other.get()));
        row_ = other.row_;
        return *this;
    }

    b2s6_state *get() const { return handle_.get(); }
    unsigned long long steps() const { return b2s6_state_steps(get()); }
    void reset() { check(b2s6_state_reset(get())); }

    /* One step. Returns the output row (output_size), which the next call overwrites. */
    const std::vector<float> &step(int32_t token)
    {
        check(b2s6_step_token(get(), token, row_.data(), row_.size()));
        return row_;
    }
    const std::vector<float> &step(const float *features, std::size_t n_features)
    {
        check(b2s6_step_features(get(), features, n_features, row_.data(), row_.size()));
        return row_;
    }
    /* The row of the last step; zeros before the first. */
    const std::vector<float> &row() const { return row_; }
    /* The surprise of a token after the last step, in bits. */
    double bits(int32_t token) const { return -b2s6_log_probability(row_.data(), row_.size(), token) / std::log(2.0); }

    /* The stream as bytes, to be restored by any machine with the same model file. */
    std::vector<unsigned char> save() const
    {
        std::vector<unsigned char> snapshot(b2s6_snapshot_size(model_.get()));
        check(b2s6_state_save(get(), snapshot.data(), snapshot.size()));
        return snapshot;
    }
    void restore(const std::vector<unsigned char> &snapshot) { check(b2s6_state_restore(get(), snapshot.data(), snapshot.size())); }
};

} // namespace b2s6
#endif
