/** Lock files that a recipe may bring, and those that are refused in words. */
import { expect, test } from 'vitest'
import { lockProblem } from './locks.ts'

const hash = `sha512-${'A'.repeat(86)}==`
const lock = (it: object) =>
  JSON.stringify({ lockfileVersion: 3, packages: { '': {}, 'node_modules/a': it } })
const sum = 'a'.repeat(64)

test.each([
  ['package-lock.json', lock({ version: '1.0.0', integrity: hash }), null],
  ['package-lock.json', lock({ version: '1.0.0', inBundle: true }), null],
  ['package-lock.json', lock({ version: '1.0.0' }), /node_modules\/a has no sha512 hash/],
  ['package-lock.json', lock({ version: '1.0.0', integrity: 'sha1-x' }), /no sha512 hash/],
  [
    'package-lock.json',
    lock({ version: '1.0.0', integrity: hash, resolved: 'https://packages.example/a.tgz' }),
    /names an address/,
  ],
  ['package-lock.json', '{"lockfileVersion":1,"packages":{}}', /version 3/],
  ['package-lock.json', '{', /is not JSON/],
  ['package.json', '{"dependencies":{"a":"1.0.0"}}', null],
  ['package.json', '{"scripts":{"install":"x"}}', /scripts of its own/],
  ['requirements.txt', `# why\na==1.0 \\\n    --hash=sha256:${sum}\nb-c==2.0+x --hash=sha256:${sum}\n`, null],
  ['requirements.txt', 'a==1.0\n', /is not name==version with its --hash/],
  ['requirements.txt', `a>=1.0 --hash=sha256:${sum}\n`, /is not name==version/],
  [
    'requirements.txt',
    `--index-url https://packages.example\na==1 --hash=sha256:${sum}\n`,
    /is not name==version/,
  ],
  ['requirements.txt', '# nothing\n', /names no package/],
  ['requirements.txt', 'a'.repeat(2 ** 20 + 1), /larger than/],
])('[TPL-4.locked] %s: %.60s', (name, text, expected) => {
  if (expected === null) expect(lockProblem(name, text)).toBeNull()
  else expect(lockProblem(name, text)).toMatch(expected)
})
