/** What is loaded later goes by one way: only there does it say that it comes, that it could not, and try again. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const SOURCE = join(import.meta.dirname, '..')
/** The gallery is in no build that people get. */
const MAY = ['app.tsx', 'ui/later.tsx']

test('[UI-2.later] nothing is loaded later but by later.tsx', () => {
  const found = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.tsx?$/.test(file) && !MAY.includes(file) && !file.includes('.test.'))
    .filter((file) => /\blazy\(/.test(readFileSync(join(SOURCE, file), 'utf8')))
  expect(found).toEqual([])
})
