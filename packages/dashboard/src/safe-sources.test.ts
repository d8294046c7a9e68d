/** What no component may do, read from their sources: write HTML from text, listen to other windows, run text, get in the way of passwords. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'

const ROOT = import.meta.dirname
const NEVER: [why: string, pattern: RegExp][] = [
  [
    'writes HTML from text',
    /dangerouslySetInnerHTML|\.(inner|outer)HTML\b|insertAdjacentHTML|document\.write/,
  ],
  ['runs text', /\beval\(|new Function\(|set(Timeout|Interval)\(\s*['"`]|javascript:/],
  [
    'listens to other windows',
    /(?<![\w.])(?:(?:window|globalThis|self)\.)?addEventListener\(\s*'message'|(?<![\w.])(?:(?:window|globalThis|self)\.)?onmessage\s*=|\.postMessage\(/,
  ],
  ['looks at what is pasted', /\bonPaste\b|'paste'/],
  ['loads from elsewhere', /(src|href)=["'{`]+https?:/],
]
let sources: { file: string; text: string }[]
beforeAll(async () => {
  const files = (await readdir(ROOT, { recursive: true })).filter(
    (it) => /\.tsx?$/.test(it) && !/\.test\.tsx?$/.test(it),
  )
  sources = await Promise.all(
    files.map(async (file) => ({ file, text: await readFile(join(ROOT, file), 'utf8') })),
  )
})

describe('[UI-2.safe-sources] no component', () => {
  test.each(NEVER)('%s', (_why, pattern) => {
    expect(sources.length).toBeGreaterThan(50)
    expect(sources.filter(({ text }) => pattern.test(text)).map(({ file }) => file)).toEqual([])
  })
  test.each([
    ['dangerouslySetInnerHTML={{ __html: x }}', 0],
    ["window.addEventListener('message', f)", 2],
    ["  addEventListener('message', f)", 2],
  ] as const)('%s would be found', (text, at) => expect(text).toMatch(NEVER[at]?.[1] ?? /^$/))
  test('a socket may be listened to', () =>
    expect("socket.addEventListener('message', f)").not.toMatch(NEVER[2]?.[1] ?? /./))
})

describe('[UI-2.safe-sources] every field for a password', () => {
  /** Elements whose words or names say that a password or a secret is typed. */
  const fields = () =>
    sources.flatMap(({ file, text }) =>
      [...text.matchAll(/<(Field|input|Input)\b[^>]*?\/>/gs)]
        .map(([element]) => ({ file, element }))
        .filter(({ element }) => /-password"|type="password"|label=\{[\w.]*[pP]assword\}/.test(element)),
    )
  test('hides what is typed, may be pasted into, and tells password managers which one it is', () => {
    expect(fields().length).toBeGreaterThan(5)
    const wrong = fields().filter(
      ({ element }) =>
        !/type="password"/.test(element) ||
        !/autoComplete="(current-password|new-password|off)"/.test(element),
    )
    expect(wrong).toEqual([])
  })
  test('of a person is never hidden from password managers', () => {
    const off = fields().filter(({ element }) => /autoComplete="off"/.test(element))
    // A provider's client secret is nobody's password.
    expect(off.filter(({ file }) => !file.startsWith('providers/'))).toEqual([])
  })
})
