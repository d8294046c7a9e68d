/** Which passwords are refused and why; and that a guesser's tricks do not help, while words that do not belong together do. */
import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { createPasswords } from './passwords.ts'
import { LIST, weaknessOf } from './weak-passwords.ts'

const CONTEXT = ['Ada Larch', 'ada.larch@example.org', 'The Larch House']

describe('[IDN-1.weak] passwords that guessers try first', () => {
  it.each([
    ['of a list', 'basketball', /stolen/],
    ['of a list, in capitals', 'BASKETBALL', /stolen/],
    ['of a list, with a year and a mark', 'football2024!', /stolen/],
    ['of a list, with figures for letters', 'P4$$w0rd1234', /stolen/],
    ['of a list, spread out', 'p a s s w o r d 1', /stolen/],
    ['of a list, twice', 'sunshinesunshine', /stolen/],
    ['one letter', 'aaaaaaaaaaaa', /repeats|stolen/],
    ['a pair again and again', 'xkxkxkxkxkxk', /repeats/],
    ['a short part again and again', 'qv7qv7qv7qv7', /repeats/],
    ['a row of figures', '98765432109876', /row|repeats|stolen/],
    ['a row of keys', 'qwertzuiopasdf', /row|stolen/],
    ['the alphabet', 'abcdefghijklmno', /row|stolen/],
    ['rows of keys put together', 'asdfghjkl12345', /row|stolen/],
    ['my name', 'AdaLarch2024', /name/],
    ['my name with figures for letters', '4d4-L4rch-99', /name/],
    ['my address', 'ada.larch@example.org', /name/],
    ['this place', 'TheLarchHouse!', /name/],
    ['the product', 'kalnet-kalnet-1', /name/],
  ])('%s: %s', async (_, password, why) => {
    expect(await weaknessOf(password, CONTEXT)).toMatch(why)
  })
  it.each([
    'correct horse battery',
    'a lantern by the river',
    'ada keeps seven blue herons',
    'vK9#mQ2xLp',
    'дом у моря и сосны',
    '海の近くの小さな家に住む',
    'tea  for  two  please',
  ])('good: %s', async (password) => {
    expect(await weaknessOf(password, CONTEXT)).toBeNull()
  })
  it('of the passwords that may be set at all, the first three thousand that were stolen are refused', async () => {
    const long = (await readFile(LIST, 'latin1')).split('\n').filter((line) => line.length >= 10)
    expect(long.length).toBeGreaterThan(100_000)
    for (let at = 0; at < 3_000; at += 60) expect(await weaknessOf(long[at] ?? '', [])).not.toBeNull()
  })
  it('is refused with the reason, before it costs a hash', async () => {
    const passwords = createPasswords({ atOnce: 0, waiting: 0 })
    await expect(passwords.hashNew('football2024!', CONTEXT)).rejects.toMatchObject({
      code: 'password.weak',
      details: { problem: 'it stands on lists of stolen passwords' },
    })
    await expect(passwords.hashNew('a lantern by the river', CONTEXT)).rejects.toMatchObject({
      code: 'request.too-many',
    })
  })
  it('passphrases keep their blanks', async () => {
    const passwords = createPasswords()
    const stored = await passwords.hash('tea  for two')
    expect([
      await passwords.verify(stored, 'tea  for two'),
      await passwords.verify(stored, 'tea for two'),
    ]).toEqual([true, false])
  })
})
