// runtime → runtime.br, the last step of packing (tools/pack.py): Node knows Brotli, Python's standard library does not.

import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { brotliCompressSync, constants } from 'node:zlib';

if (existsSync('runtime')) {
  const bytes = readFileSync('runtime');
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
    [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
    [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
  };
  writeFileSync('runtime.br', brotliCompressSync(bytes, { params }));
  rmSync('runtime');
}
