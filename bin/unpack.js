'use strict';
// What npm ships, as folders. The archive (tools/pack.py) is one Brotli stream: a line of JSON, [[path, bytes], ...],
// then the bytes of the files, one after the other. It is unpacked once for each version, beside the managed
// environments, which `env prune` looks after, and again where a file is gone; where nothing can be kept there, for this
// run alone, which managed.py is told, so that nobody is sent to a folder that is gone by then.

const { createHash } = require('node:crypto');
const { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { dirname, join } = require('node:path');
const { brotliDecompressSync } = require('node:zlib');

const DAY = 86_400_000;
const LIST = 'files.json';

// The folder with what is in `archive`, in `shelf` if that can be written. Throws the system's error where nothing can.
function unpacked(archive, version, shelf) {
  const packed = readFileSync(archive);
  const name = `${version}-${createHash('sha256').update(packed).digest('hex').slice(0, 12)}`;
  const folder = join(shelf, name);
  if (isWhole(folder)) return used(folder);
  try {
    mkdirSync(shelf, { recursive: true });
    const draft = written(packed, join(shelf, `.${name}-`));
    chmodSync(draft, 0o755); // as the environments are, for whoever shares them
    try {
      if (existsSync(folder) && !isWhole(folder)) renameSync(folder, `${draft}-damaged`);
      renameSync(draft, folder);
    } catch (error) {
      rmSync(draft, { recursive: true, force: true });
      if (!isWhole(folder)) throw error; // else another process was quicker
    }
    return folder;
  } catch {
    const folder = written(packed, join(tmpdir(), 'tikomni-'));
    process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
    process.env.TIKOMNI_UNKEPT = '1';
    return folder;
  }
}

// A power cut leaves empty files, and cleaners delete.
function isWhole(folder) {
  try {
    return JSON.parse(readFileSync(join(folder, LIST), 'utf8')).every(([path, size]) => statSync(join(folder, path)).size === size);
  } catch {
    return false;
  }
}

// A new folder whose name begins with `prefix`, with everything in it, or none at all.
function written(packed, prefix) {
  const folder = mkdtempSync(prefix);
  try {
    const bytes = brotliDecompressSync(packed);
    let at = bytes.indexOf('\n') + 1;
    const list = bytes.subarray(0, at);
    for (const [path, size] of JSON.parse(list)) {
      const file = join(folder, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, bytes.subarray(at, at += size));
    }
    writeFileSync(join(folder, LIST), list);
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
