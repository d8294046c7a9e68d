/** The squares of a QR code stand where ISO/IEC 18004 puts them, not mirrored and not turned. */
import { qr } from '@kalnet/contracts/qr'
import { describe, expect, it } from 'vitest'
import { qrOf } from './qr.ts'

const FINDER = ['1111111', '1000001', '1011101', '1011101', '1011101', '1000001', '1111111']
const corner = (rows: string[], top: number, left: number) =>
  rows.slice(top, top + 7).map((row) => row.slice(left, left + 7))

describe('[IDN-3.invitations] a link as a picture', () => {
  it.each([
    'https://kalnet.local:7443/join#Rw3kPq8xTzYb1LmN0vHs6JdCfGaEuIoK2XyV9BcD4eF',
    'a',
    'ü'.repeat(200),
  ])('%s', (text) => {
    const code = qr.parse(qrOf(text))
    const { size, rows } = code
    expect(rows.length).toBe(size)
    expect(rows.every((row) => row.length === size)).toBe(true)
    expect(corner(rows, 0, 0)).toEqual(FINDER)
    expect(corner(rows, 0, size - 7)).toEqual(FINDER)
    expect(corner(rows, size - 7, 0)).toEqual(FINDER)
    // The one square that is always dark stands in row 4V + 9, column 8.
    expect(rows[size - 8]?.[8]).toBe('1')
    // Timing patterns: every other square of row and column 6.
    const timing = Array.from({ length: size - 16 }, (_, at) => (at % 2 === 0 ? '1' : '0')).join('')
    expect(rows[6]?.slice(8, size - 8)).toBe(timing)
    expect(qrOf(text)).toEqual(code)
  })
})
