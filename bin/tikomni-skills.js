#!/usr/bin/env node
'use strict';
// Finds a Python, has it prepare the managed environment once, and hands over to `python -m tikomni`.
// It knows no command but `dev`; where the environment is and what makes it ready is said again in
// lib/tikomni/install/managed.py, and a test keeps the two in agreement.

const { createHash } = require('node:crypto');
const { existsSync, readFileSync } = require('node:fs');
const { constants, cpus, homedir, tmpdir } = require('node:os');
const { join, resolve } = require('node:path');
const { spawn, spawnSync } = require('node:child_process');
const { unpacked } = require('./unpack.js');

const PACKAGE = join(__dirname, '..');
const WINDOWS = process.platform === 'win32';
const { version } = require('../package.json');

// The language of lib/tikomni/install/language.py, by the same rule.
const { LC_ALL, LC_MESSAGES, LANG } = process.env;
const locale = LC_ALL || LC_MESSAGES || LANG || (WINDOWS ? Intl.DateTimeFormat().resolvedOptions().locale : '');
const language = /^zh/i.test(locale) ? 'zh' : 'en';

const UNPACKED_NOWHERE = {
  en: (folders, why) => ({
    message: `The package could not be unpacked, neither in ${folders[0]} nor in ${folders[1]}: ${why}`,
    hint: 'Make one of the two writable, with 20 MB free, then run the same command.',
  }),
  zh: (folders, why) => ({
    message: `安装包既无法解压到 ${folders[0]}，也无法解压到 ${folders[1]}：${why}`,
    hint: '请确保其中一个目录可写并留有 20 MB 空间，然后重新运行同一命令。',
  }),
};

// A checkout runs from its own folders, what npm ships from where its archive was unpacked.
const ROOT = existsSync(join(PACKAGE, 'lib', 'tikomni')) ? PACKAGE : unpackedPackage();
const LIB = join(ROOT, 'lib');
const interpreters = require(join(LIB, 'tikomni', 'install', 'interpreters.json'));

// These do without packages, and prepare the environment themselves where they need one: a wrong word is answered at
// once, and what is wrong with the environment keeps nobody from looking, or from removing.
const PLAIN = ['install', 'update', 'remove', 'verify', 'list', 'doctor', 'bundle', 'env', '--help', '-h', '--version', 'help'];

const EXTRAS = { demo: ['sandbox'], sandbox: ['sandbox'], dev: ['test'] };

const lockOf = (set) => readFileSync(join(ROOT, 'requirements', `${set}.txt`), 'utf8');
const digest = (set) => createHash('sha256').update(lockOf(set)).digest('hex');

function dataHome(env = process.env) {
  const home = env.HOME || homedir();
  const base = WINDOWS ? env.LOCALAPPDATA || join(home, 'AppData', 'Local')
    : env.XDG_DATA_HOME || join(home, ...(process.platform === 'darwin' ? ['Library', 'Application Support'] : ['.local', 'share']));
  return resolve(base, 'tikomni');
}

const environmentFolder = () => join(dataHome(), 'env', `${version}-${digest('base').slice(0, 12)}`);

function unpackedPackage() {
  const shelf = join(dataHome(), 'package');
  try {
    return unpacked(join(PACKAGE, 'runtime.br'), version, shelf);
  } catch (error) {
    const full = error.code === 'ENOSPC';
    const words = UNPACKED_NOWHERE[language]([shelf, tmpdir()], error.message);
    process.exit(fail({ code: full ? 'disk_full' : 'no_environment', ...words, retryable: full, details: {} }, full ? 1 : 2));
  }
}

const pythonOf = (folder) => join(folder, ...(WINDOWS ? ['Scripts', 'python.exe'] : ['bin', 'python']));

function isReady(folder, extras) {
  try {
    const { sets } = JSON.parse(readFileSync(join(folder, '.ready.json'), 'utf8'));
    return existsSync(pythonOf(folder)) && ['base', ...extras].every((set) => sets[set] === digest(set));
  } catch {
    return false;
  }
}

const findPython = () => interpreters.candidates.find(([program, ...args]) =>
  spawnSync(program, [...args, '-c', interpreters.probe], { stdio: 'ignore', timeout: 120_000 }).status === 0);

const anyPython = () => findPython() ?? ['python3'];

// Runs a program to its end, passing on the signals that only this process got. Resolves to {status, stdout}.
function run([program, ...args], { stdout = 'inherit', cwd } = {}) {
  return new Promise((resolve) => {
    const env = { ...process.env, PYTHONPATH: LIB };
    const child = spawn(program, args, { stdio: ['inherit', stdout, 'inherit'], env, cwd });
    let text = '';
    child.stdout?.setEncoding('utf8').on('data', (chunk) => { text += chunk; });
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
      // A terminal sends Ctrl-C to the whole group; passing it on would interrupt the child twice.
      process.on(signal, () => signal === 'SIGINT' && process.stdin.isTTY || child.kill(signal));
    }
    child.on('error', (error) => { console.error(error.message); resolve({ status: 2, stdout: text }); });
    child.on('close', (code, signal) => resolve({ status: code ?? 128 + constants.signals[signal], stdout: text }));
  });
}

// The exit status of the preparation; what it prints reaches nobody unless it fails.
async function prepare(extras) {
  const python = findPython();
  if (!python) {
    const { [language]: hint } = interpreters.advice[process.platform] ?? interpreters.advice.linux;
    const message = interpreters.missing[language];
    return fail({ code: 'no_environment', message, hint, retryable: false, details: {} });
  }
  const flags = extras.flatMap((extra) => ['--extra', extra]);
  const { status, stdout } = await run([...python, '-P', '-m', 'tikomni.install.environment', ...flags], { stdout: 'pipe' });
  if (status === 0) return 0;
  try {
    return fail(JSON.parse(stdout).error, status);
  } catch {
    return status;
  }
}

function fail(error, status = 2) {
  if (process.stdout.isTTY) console.error(`${error.message}\n${error.hint}`);
  else console.log(JSON.stringify({ ok: false, command: 'env', status: 'failed', error }));
  return status;
}

// Tests wait for processes and answers half of their time.
const WORKERS = String(cpus().length * 2);

// What `dev` runs in the package's folder, one step after the other; `lock` needs uv, `pack` any Python.
const DEV = {
  test: (python, args) => [[process.execPath, 'web/report/build.mjs'], [python, '-m', 'pytest', '-n', WORKERS, ...args]],
  lint: (python) => [
    [python, '-m', 'ruff', 'check'],
    [python, '-m', 'ruff', 'format', '--check'],
    [python, '-c', 'from importlinter.cli import lint_imports_command as main; main()', '--no-cache'],
  ],
  lock: () => [
    compile('base'),
    compile('sandbox', '--extra', 'sandbox', '-c', 'requirements/base.txt'),
    compile('test', '--extra', 'test', '-c', 'requirements/sandbox.txt'),
    compile('local-asr', '--extra', 'local-asr', '-c', 'requirements/test.txt'),
    compile('local-asr-test', '--extra', 'local-asr-test', '-c', 'requirements/local-asr.txt'),
    [...anyPython(), 'tools/locks.py'],
  ],
  pack: (python, args) => [[...anyPython(), 'tools/pack.py', ...args], [process.execPath, 'tools/compress.mjs']],
  release: (python, args) => [[python, 'tools/check_release.py', ...args]],
};

const compile = (set, ...from) => ['uv', 'pip', 'compile', '--quiet', '--upgrade', '--universal',
  '--fork-strategy', 'fewest', '--python-version', '3.11', '--generate-hashes', '--no-header', '--no-annotate',
  '--no-emit-index-url', 'pyproject.toml', ...from, '-o', `requirements/${set}.txt`];

async function main(given) {
  const [command, ...args] = given;
  const develop = command === 'dev' && DEV[args.shift()];
  if (command === 'dev' && !develop) {
    console.error(`usage: tikomni-skills dev ${Object.keys(DEV).join('|')} [arguments]`);
    return 2;
  }
  const folder = environmentFolder();
  let python = [pythonOf(folder)];
  const extras = EXTRAS[command] ?? [];
  if (![DEV.lock, DEV.pack].includes(develop) && !isReady(folder, extras)) {
    const found = PLAIN.includes(command ?? 'help') && findPython();
    const status = found ? 0 : await prepare(extras);
    if (status !== 0) return status;
    python = found || python;
  }
  const steps = develop ? develop(python[0], args) : [[...python, '-P', '-X', 'utf8', '-m', 'tikomni', ...given]];
  for (const step of steps) {
    const { status } = await run(step, develop ? { cwd: ROOT } : {});
    if (status !== 0) return status;
  }
  return 0;
}

module.exports = { environmentFolder, isReady };
if (require.main === module) main(process.argv.slice(2)).then((status) => { process.exitCode = status; });
