/** Every word on screen comes from the catalogue: no literal text in components, no message that nobody uses. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import * as messages from './index.ts'

const SOURCE = join(import.meta.dirname, '..')
const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.tsx?$/.test(file) && !/\.test\.|testing|^gallery|^messages/.test(file))
  .map((file) => ({ file, text: readFileSync(join(SOURCE, file), 'utf8') }))

/** Text between tags, or in an attribute that people see or hear. */
const BETWEEN = />\s*([A-Za-z][A-Za-z ,.'’!?]{2,})\s*<\//g
const SPOKEN = /\b(?:aria-label|title|placeholder|label|help|text|alt)="([^"]+)"/g

test('[UI-2.words] no component holds literal text', () => {
  const found = files
    .filter(({ file }) => file.endsWith('.tsx'))
    .flatMap(({ file, text }) =>
      [...text.matchAll(BETWEEN), ...text.matchAll(SPOKEN)].map((it) => `${file}: ${it[1]}`),
    )
  expect(found).toEqual([])
})

test('[UI-2.words] every message is used', () => {
  const all = files.map(({ text }) => text).join('\n')
  expect(Object.keys(messages).filter((name) => !all.includes(`m.${name}`))).toEqual([])
})
