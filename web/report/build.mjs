// Bundles the charts of the report into one script that stands alone: lib/tikomni/cards/report.js, with the licences
// of everything in it. Does nothing when that file was made from the sources as they are.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = join(HERE, '..', '..');
const OUTPUT = join(ROOT, 'lib', 'tikomni', 'cards', 'report.js');
const MODULES = join(ROOT, 'node_modules');
// What Plot and D3 bring and the charts do not use: colours, their mixture, formats, maps, facets, transforms.
const ABSENT = [
  /^(d3-color|d3-format|d3-interpolate|d3-time-format|isoformat)$/,
  /\/(bin|curve|diverging|facet|frame|group|legends|marker|ordinal|projection|schemes|stack|time)\.js$/,
];
const NEEDED = Object.keys(JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).devDependencies);

const sources = [...readdirSync(HERE).sort().map((name) => join(HERE, name)), join(ROOT, 'package-lock.json')];
const digest = createHash('sha256');
for (const path of sources) digest.update(readFileSync(path));
const mark = `/*! made by npm run build from ${digest.digest('hex').slice(0, 16)}`;

const have = NEEDED.every((name) => existsSync(join(MODULES, name)));
if (!have || !existsSync(OUTPUT) || !readFileSync(OUTPUT, 'utf8').startsWith(mark)) {
  if (!have) install();
  await build();
}

function install() {
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const words = ['ci', '--include=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const done = spawnSync(npm, words, { cwd: ROOT, stdio: ['ignore', 2, 2], shell: process.platform === 'win32' });
  if (done.status !== 0) {
    console.error('The charts of the report need the development dependencies of package.json; npm ci failed.');
    process.exit(done.status ?? 1);
  }
}

async function build() {
  const { build } = await import('esbuild');
  const result = await build({
    entryPoints: [join(HERE, 'charts.js')],
    bundle: true,
    minify: true,
    format: 'iife',
    target: 'es2020',
    legalComments: 'none', // they are in the banner, from the packages' own licence files
    plugins: [{ name: 'lean', setup: lean }],
    metafile: true,
    write: false,
    absWorkingDir: ROOT,
  });
  const code = result.outputFiles[0].text.trimEnd();
  // The script is placed inside an HTML page as it is.
  if (/<\/script|<!--/i.test(code)) throw new Error('the bundle holds text that would end or hide a script element');
  const [{ inputs }] = Object.values(result.metafile.outputs);
  const used = Object.keys(inputs).filter((path) => inputs[path].bytesInOutput > 0);
  writeFileSync(OUTPUT, `${mark}\n\n${licences(used)}\n*/\n${code}\n`);
}

function lean({ onResolve }) {
  const ours = (name) => ({ importer }) => (/[\\/]node_modules[\\/]/.test(importer) ? { path: join(HERE, name) } : undefined);
  onResolve({ filter: /^d3$/ }, ours('d3.js'));
  for (const filter of ABSENT) onResolve({ filter }, ours('absent.cjs'));
}

// Each licence text once, under the names of the packages and the copyright lines that it stands for.
function licences(inputs) {
  const folders = new Set(inputs.map((path) => path.match(/.*node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0]).filter(Boolean));
  const texts = new Map();
  for (const folder of [...folders].sort()) {
    const { name, version, license } = JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8'));
    const file = readdirSync(join(ROOT, folder)).find((entry) => /^licen[cs]e/i.test(entry));
    if (!file) throw new Error(`${name} has no licence file`);
    const lines = readFileSync(join(ROOT, folder, file), 'utf8').replaceAll('*/', '* /').trim().split(/\r?\n/);
    const holders = lines.filter((line) => /^copyright/i.test(line)).join('; ');
    const text = lines.filter((line) => !/^copyright/i.test(line)).join('\n').replace(/\n{3,}/g, '\n\n').trim();
    const flat = text.replace(/\s+/g, ' ');
    const known = texts.get(flat) ?? { text, packages: [] };
    known.packages.push(`${name} ${version} (${license}): ${holders}`);
    texts.set(flat, known);
  }
  return [...texts.values()].map(({ text, packages }) => `${packages.join('\n')}\n\n${text}`).join('\n\n---\n\n');
}
