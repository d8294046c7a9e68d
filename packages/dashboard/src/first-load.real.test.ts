/** What a first visit weighs, counted on a real build. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { firstLoad } from '../build/first-load.ts'
import { buildInto } from './testing.ts'

const MUST_BYTES = 150_000

describe('first load', () => {
  let built: Awaited<ReturnType<typeof buildInto>>
  beforeAll(async () => {
    built = await buildInto('production')
  })
  afterAll(() => built?.remove())

  test('[UI-2.first-load] Home with page, styles, scripts, font and what it asks for by itself is under 150 KB compressed', () => {
    const { bytes } = firstLoad(built.folder)
    console.log(`first load: ${bytes} bytes`)
    expect(bytes).toBeLessThan(MUST_BYTES)
  })

  test('[UI-2.first-load] neither noVNC nor the schema library nor the gallery is in it', () => {
    const names = firstLoad(built.folder).files.map(({ file }) => file)
    expect(names.filter((name) => /rfb|zod|gallery|viewer|palette/.test(name))).toEqual([])
  })
})
