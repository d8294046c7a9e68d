/** The overlay's figures, with time brought by hand. */
import { expect, test } from 'vitest'
import { createMeasure } from './figures.ts'

test('[STR-4.figures] key to picture is the median of what the next picture answered', () => {
  const measure = createMeasure()
  for (const [sent, drawn] of [
    [0, 10],
    [100, 112],
    [200, 290],
  ] as const) {
    measure.input(sent)
    measure.frame(drawn)
  }
  expect(measure.read(300).latencyMs).toBe(12)
})

test('[STR-4.figures] a picture long after the key was not drawn because of it', () => {
  const measure = createMeasure()
  measure.input(0)
  measure.frame(1_500)
  expect(measure.read(1_500).latencyMs).toBeNull()
})

test('[STR-4.figures] typing on before the picture does not make it look faster', () => {
  const measure = createMeasure()
  measure.input(0)
  measure.input(40)
  measure.frame(50)
  expect(measure.read(60).latencyMs).toBe(50)
})

test('[STR-4.figures] pictures and bytes are counted over the last two seconds', () => {
  const measure = createMeasure()
  for (let at = 0; at <= 4_000; at += 100) {
    measure.frame(at)
    measure.bytes(at, 1_000)
  }
  const { framesPerSecond, bytesPerSecond } = measure.read(4_000)
  expect(framesPerSecond).toBe(10.5)
  expect(bytesPerSecond).toBe(10_500)
  expect(measure.read(9_000)).toMatchObject({ framesPerSecond: 0, bytesPerSecond: 0 })
})

test('[STR-4.recorded] a viewing is counted from its first picture, whether the figures are shown or not', () => {
  const measure = createMeasure()
  expect(measure.totals(5)).toBeNull()
  for (let at = 100; at <= 60_100; at += 100) {
    measure.frame(at)
    measure.bytes(at, 1_000)
  }
  measure.input(60_200)
  measure.frame(60_212)
  expect(measure.totals(60_300)).toEqual({
    elapsedMs: 60_200,
    frames: 602,
    bytes: 601_000,
    keyToPictureMs: 12,
  })
  measure.begin()
  expect(measure.totals(70_000)).toBeNull()
})
