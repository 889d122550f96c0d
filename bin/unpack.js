'use strict';
// What npm ships, as folders. The archive (tools/pack.py) is one Brotli stream: a line of JSON, [[path, bytes], ...],
// then the bytes of the files, one after the other. It is unpacked once for each version, beside the managed
// environments, which `env prune` looks after; where nothing can be kept there, for this run alone.

const { createHash } = require('node:crypto');
const { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { dirname, join } = require('node:path');
const { brotliDecompressSync } = require('node:zlib');

const DAY = 86_400_000;

// The folder with what is in `archive`, in `shelf` if that can be written. Throws the system's error where nothing can.
function unpacked(archive, version, shelf) {
  const packed = readFileSync(archive);
  const name = `${version}-${createHash('sha256').update(packed).digest('hex').slice(0, 12)}`;
  const folder = join(shelf, name);
  if (existsSync(folder)) return used(folder);
  try {
    mkdirSync(shelf, { recursive: true });
    const draft = written(packed, join(shelf, `.${name}-`));
    try {
      renameSync(draft, folder);
    } catch (error) {
      rmSync(draft, { recursive: true, force: true });
      if (!existsSync(folder)) throw error; // else another process was quicker
    }
    return folder;
  } catch {
    const folder = written(packed, join(tmpdir(), 'tikomni-'));
    process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
    return folder;
  }
}

// A new folder whose name begins with `prefix`, with everything in it, or none at all.
function written(packed, prefix) {
  const folder = mkdtempSync(prefix);
  try {
    const bytes = brotliDecompressSync(packed);
    const first = bytes.indexOf('\n') + 1;
    let at = first;
    for (const [path, size] of JSON.parse(bytes.subarray(0, first))) {
      const file = join(folder, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, bytes.subarray(at, at += size));
    }
    return folder;
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

// Keeps a folder from being taken for an abandoned one, as `Environment.used` does in managed.py.
function used(folder) {
  try {
    if (Date.now() - statSync(folder).mtimeMs > DAY) utimesSync(folder, new Date(), new Date());
  } catch {
    // not ours to write: then somebody else looks after it
  }
  return folder;
}

module.exports = { unpacked };
