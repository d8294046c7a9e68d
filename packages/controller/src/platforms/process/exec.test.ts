/** What root's helpers are told of an instance's environment, as a table: nothing that they would obey. */
import { expect, test } from 'vitest'
import { environmentIn } from './exec.ts'

const PATH = expect.stringMatching(/^\/usr\/local\/sbin:/)
const word = (name: string, value: string) => ['--setenv', name, value]

test.each([
  [
    'its own words',
    [...word('PGUSER', 'app'), '--bind', 'a', 'b', ...word('LANG', 'C.UTF-8')],
    { PGUSER: 'app', LANG: 'C.UTF-8' },
  ],
  ['a value that looks like a word of ours', word('A', '--setenv'), { A: '--setenv' }],
  ['nothing', [], {}],
])('[CTL-6.exec-environment] %s', (_name, words, expected) => {
  expect(environmentIn(words.join('\0'))).toEqual({ ...expected, PATH })
})

test.each([
  'PATH',
  'BASH_ENV',
  'ENV',
  'SHELLOPTS',
  'BASHOPTS',
  'LD_PRELOAD',
  'LD_LIBRARY_PATH',
  'LD_AUDIT',
  'GLIBC_TUNABLES',
  'GCONV_PATH',
  'LOCPATH',
  'NLSPATH',
  'TMPDIR',
  'IFS',
  'PS4',
])('[CTL-6.exec-environment] %s does not pass', (name) => {
  expect(environmentIn(word(name, '/home/user/mine').join('\0'))).toEqual({ PATH })
})
