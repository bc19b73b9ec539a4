#!/bin/sh
# Folders of checkpoints as a person meets them: every container, what is refused, models of bytes with more tokens.
#   check_containers.sh PROGRAM FOLDER        FOLDER is this one
. "$(dirname "$0")/checks.sh"
program=$1
containers=$2/containers

fresh() { # fresh NAME: a copy of a container at "$folder"
    folder=$work/folder
    rm -rf "$folder"
    cp -r "$containers/$1/model" "$folder"
    chmod -R u+w "$folder"
}

refused() { # refused TEXT: "$folder" is, with this in the one line, and nothing is made
    fails 1 "$folder: $1" convert "$folder" "$work/x"
    expect "nothing is made of a folder that is refused" test ! -e "$work/x"
}

edit() { # edit FILE FROM TO: replaces text in a file of "$folder"; the same number of bytes in binary files
    LC_ALL=C sed -i "s|$2|$3|" "$folder/$1"
}

# ------------------------------------------------------------------------------------------------------------ containers
for name in safetensors mixed hugging-face shards bin bin-tied bin-strides bin-shards; do
    runs convert "$containers/$name/model" "$work/$name.b2s6"
    said "^$work/$name.b2s6: 1 mamba layer of width 4, 8 tokens, 140 weights as f32, 3.[0-9] kB$"
    expect "one line says what was made" test "$(wc -l <"$work/out")" -eq 1
    expect "$name gives the same model" cmp "$work/safetensors.b2s6" "$work/$name.b2s6"
done
for name in safetensors bin shards bin-shards; do
    runs convert "$containers/mamba2-$name/model" "$work/mamba2-$name.b2s6"
    said "^$work/mamba2-$name.b2s6: 1 mamba2 layer of width 4, 8 tokens, 146 weights as f32, "
    expect "mamba2-$name gives the same model" cmp "$work/mamba2-safetensors.b2s6" "$work/mamba2-$name.b2s6"
done
"$program" convert "$containers/bin/model" /dev/stdout 2>"$work/err" | cat >"$work/piped"
expect "through a pipe it is the same model" cmp "$work/safetensors.b2s6" "$work/piped"
expect "and nothing else is said" test ! -s "$work/err"
runs convert "$containers/bin/model/" "$work/slash.b2s6"
expect "a folder may end with /" cmp "$work/safetensors.b2s6" "$work/slash.b2s6"
for type in f16 q8 q4; do
    runs convert --type $type "$containers/bin-strides/model" "$work/a.b2s6"
    runs convert --type $type "$containers/safetensors/model" "$work/b.b2s6"
    expect "$type is the same from both" cmp "$work/a.b2s6" "$work/b.b2s6"
done
fresh shards
ln -s "$folder" "$work/link"
runs convert "$work/link" "$work/linked.b2s6"
mv "$folder/model-00002-of-00003.safetensors" "$work/elsewhere"
ln -s ../elsewhere "$folder/model-00002-of-00003.safetensors" # as caches of downloads have them
runs convert "$folder" "$work/linked.b2s6"

# --------------------------------------------------------------------------------------------------------------- refused
fresh shards
index=model.safetensors.index.json second=model-00002-of-00003.safetensors third=model-00003-of-00003.safetensors
rm "$folder/$second"
refused "$second: No such file"
fresh shards
edit $index "$second" "../shards/$second"
refused "$index: tensor .*: its file ../shards/$second is not a plain name"
fresh shards
edit $index "backbone.layers.0.mixer.D\": \"[^\"]*" "backbone.layers.0.mixer.D\": \"$second"
refused "$index: tensor backbone.layers.0.mixer.D is to be in $second, but is in model-00001"
fresh shards
edit $index 'backbone.norm_f.weight' 'backbone.norm_g.weight'
refused "$index: tensor backbone.norm_g.weight is to be in $third, but is not"
fresh shards
grep -v 'layers.0.norm.weight' "$folder/$index" >"$work/index" && mv "$work/index" "$folder/$index"
refused "$index: tensor backbone.layers.0.norm.weight of $second is not in it"
fresh shards
cp "$folder/$second" "$folder/$third"
refused "tensor backbone.layers.0.[a-z_0-9.]* is given twice, in model-0000[23]-of-00003.safetensors and in model-0000[23]-of-00003.safetensors"
fresh shards
printf '{}' >"$folder/$index"
refused "$index: weight_map is missing"
fresh shards
head -c 100 "$containers/shards/model/$third" >"$folder/$third"
refused "$third: not a safetensors file, or cut short"
fresh shards
edit config.json '"n_layer": 1' '"n_layer": 2'
refused "$index: tensor backbone.layers.1.norm.weight is missing"
fresh mixed
edit config.json '"expand": 1' '"expand": 2'
refused "model.safetensors: tensor backbone.layers.0.mixer.in_proj.weight: the shape is"

fresh bin
head -c 3000 "$containers/bin/model/pytorch_model.bin" >"$folder/pytorch_model.bin"
refused "pytorch_model.bin: not a whole zip archive"
fresh bin
printf '\200\002\212\012l\374\234\106\371\040\152\250\120\031.' >"$folder/pytorch_model.bin"
refused "pytorch_model.bin: saved by PyTorch before 1.6: load and save it again"
fresh bin
edit pytorch_model.bin '_rebuild_tensor_v2' '_rebuild_tensor_v3'
refused "pytorch_model.bin: data.pkl asks for torch._utils._rebuild_tensor_v3, which no state_dict needs and which was not called"
fresh bin
printf 'text' >"$folder/pytorch_model.bin"
refused "pytorch_model.bin: not a file that PyTorch saved"
fresh bin
edit config.json '"n_layer"' '"attn_layer_idx": [1], "n_layer"'
refused "config.json: attn_layer_idx is not empty: attention layers are no state-space model"
fresh bin
edit config.json '"n_layer"' '"model_type": "mamba", "n_layer"'
refused "config.json: hidden_size is missing"
fresh bin
mv "$folder/pytorch_model.bin" "$work/alone.bin"
refused "a folder with config.json, but without model.safetensors or pytorch_model.bin"
fails 1 "alone.bin: no configuration: .* give the folder" convert "$work/alone.bin" "$work/x"
fresh bin
rm "$folder/config.json"
refused "a folder without config.json"

# DST is never one of the files that are read.
fresh shards
for name in config.json $index $second; do
    cp "$folder/$name" "$work/before"
    fails 1 "would overwrite what is being converted" convert "$folder" "$folder/$name"
    expect "$name is as it was" cmp "$work/before" "$folder/$name"
done
fresh bin
fails 1 "would overwrite what is being converted" convert "$folder" "$folder/pytorch_model.bin"
runs convert "$folder" "$folder/model.b2s6"
expect "beside them it may be" test -s "$folder/model.b2s6"
expect "no temporary file is left" test -z "$(find "$work" -name '*.??????' ! -name '*.b2s6')"

# ------------------------------------------------------------------------------------------------------------ tokenizers
cat >"$work/tokenizer.json" <<'END'
{"added_tokens": [{"id": 7, "content": "<end>", "special": true}],
 "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false}, "decoder": {"type": "ByteLevel"},
 "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "c": 2, "\u0120": 3, "ab": 4, "abc": 5, "\u0120abc": 6},
           "merges": ["a b", "ab c", "\u0120 abc"]}}
END
printf '{"bos_token_id": 7, "eos_token_id": [7, 3]}' >"$work/generation_config.json"
printf 'abc abc ba' >"$work/words"
for name in safetensors mixed hugging-face shards bin bin-tied bin-strides bin-shards; do
    fresh $name
    cp "$work/tokenizer.json" "$work/generation_config.json" "$folder"
    runs convert "$folder" "$work/$name-text.b2s6"
    expect "$name takes the same tokenizer along" cmp "$work/safetensors-text.b2s6" "$work/$name-text.b2s6"
    "$program" convert "$folder" /dev/stdout 2>"$work/err" | cat >"$work/piped"
    expect "through a pipe, too" cmp "$work/safetensors-text.b2s6" "$work/piped"
    runs convert --tokenizer none "$folder" "$work/without.b2s6"
    runs tokenize "$work/$name-text.b2s6" "$work/words"
    expect "the tokenizer is the folder's" test "$(tr -s ' \n' '  ' <"$work/out")" = "5 6 3 1 0 "
    runs generate "$work/$name-text.b2s6" -n 20
    fails 1 "it has no tokenizer" generate "$work/without.b2s6" --prompt a
done
runs info "$work/bin-text.b2s6"
said 'bos_token_id: 7$'
said 'eos_token_id: 7 3$'
fresh bin
runs convert --tokenizer "$work/tokenizer.json" "$folder" "$work/named.b2s6"
runs tokenize "$work/named.b2s6" "$work/words"
sed 's/<end>/<|endoftext|>/' "$work/tokenizer.json" >"$work/endoftext.json" # an original folder's texts begin and end with it
runs convert --tokenizer "$work/endoftext.json" "$folder" "$work/original.b2s6"
runs info "$work/original.b2s6"
said 'bos_token_id: 7$'
said 'eos_token_id: 7$'
runs generate "$work/original.b2s6" -n 3
runs info "$work/named.b2s6"
expect "another control token is not taken for it" test "$(grep -c token_id "$work/out")" -eq 0
fresh hugging-face
runs convert --tokenizer "$work/endoftext.json" "$folder" "$work/hf-defaults.b2s6"
runs info "$work/hf-defaults.b2s6"
said 'bos_token_id: 0$'
for name in bin bin-shards; do # an original folder, and Hugging Face's, whose config.json has a bare Infinity
    fresh mamba2-$name
    cp "$work/endoftext.json" "$folder/tokenizer.json"
    runs convert "$folder" "$work/mamba2.b2s6"
    runs generate "$work/mamba2.b2s6" --prompt abc -n 5
    runs info "$work/mamba2.b2s6"
    said "bos_token_id: $(test $name = bin && echo 7 || echo 0)\$"
    said "eos_token_id: $(test $name = bin && echo 7 || echo 2)\$"
done
fails 1 "tokens of a tokenizer" compress "$work/named.b2s6" "$work/words" "$work/x"
fresh bin
sed 's/"id": 7/"id": 8/' "$work/tokenizer.json" >"$folder/tokenizer.json"
refused "the tokenizer has 9 tokens, but the model's vocabulary 8"
head -c 100 "$work/tokenizer.json" >"$folder/tokenizer.json"
refused "tokenizer.json: "
fresh bin-shards
cp "$work/tokenizer.json" "$work/generation_config.json" "$folder"
for name in tokenizer.json generation_config.json pytorch_model-00002-of-00002.bin; do
    cp "$folder/$name" "$work/before"
    fails 1 "would overwrite what is being converted" convert "$folder" "$folder/$name"
    expect "$name is as it was" cmp "$work/before" "$folder/$name"
done
fails 1 "would overwrite the tokenizer" convert --tokenizer "$work/tokenizer.json" "$folder" "$work/tokenizer.json"

# -------------------------------------------------------------------------------------------- bytes, and tokens beyond them
runs convert "$containers/bytes-256/model" "$work/256.b2s6"
runs convert "$containers/bytes-260/model" "$work/260.b2s6"
said ", 264 tokens, "
head -c 3000 "$0" >"$work/text"
for threads in 1 2; do
    runs score --threads $threads --json "$work/256.b2s6" "$work/text"
    sed 's/"seconds.*//' "$work/out" >"$work/score"
    runs score --threads $threads --json "$work/260.b2s6" "$work/text"
    sed 's/"seconds.*//' "$work/out" >"$work/score.more"
    expect "tokens beyond the bytes change no score" cmp "$work/score" "$work/score.more"
    runs generate --threads $threads --seed 5 -n 200 --prompt abc "$work/256.b2s6"
    cp "$work/out" "$work/generated"
    expect "text is generated" test "$(wc -c <"$work/generated")" -gt 200
    runs generate --threads $threads --seed 5 -n 200 --prompt abc "$work/260.b2s6"
    expect "nor any text" cmp "$work/generated" "$work/out"
    runs compress --threads $threads "$work/260.b2s6" "$work/text" "$work/small"
    runs decompress --threads $threads "$work/260.b2s6" "$work/small" "$work/back"
    expect "what is compressed comes back" cmp "$work/text" "$work/back"
done
runs compress "$work/256.b2s6" "$work/text" "$work/other"
expect "it takes as much as without them" test "$(wc -c <"$work/small")" -eq "$(wc -c <"$work/other")"
fails 1 "model" decompress "$work/256.b2s6" "$work/small" "$work/x"
runs convert "$containers/bin/model" "$work/words.b2s6"
fails 1 "its vocabulary is not the 256 bytes" score "$work/words.b2s6" "$work/text"

finish
