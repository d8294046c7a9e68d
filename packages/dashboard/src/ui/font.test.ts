/** Our cut of Inter is of the package that is installed; after an update of it, it is made anew as font.css says. */
import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const CUT_FROM = '3100e775e8616cd2611beecfa23a4263d7037586789b43f035236a2e6fbd4c62'
const whole = createRequire(import.meta.url).resolve(
  '@fontsource-variable/inter/files/inter-latin-wght-normal.woff2',
)

test('[UI-2.first-load] the letters of a first visit are cut from the font that the package has', () => {
  expect(createHash('sha256').update(readFileSync(whole)).digest('hex')).toBe(CUT_FROM)
  expect(statSync(join(import.meta.dirname, 'inter-latin.woff2')).size).toBeLessThan(32_000)
})
