/** Lines of `kalnet firewall` that are refused before anything is asked or changed. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { cli, NO_HOME, temporaryHome } from '../testing.ts'

let it = NO_HOME
beforeAll(async () => {
  it = await temporaryHome()
})
afterAll(() => it.remove())

test.each([
  ['--apply --remove', 2, 'Choose one of --print, --apply and --remove.'],
  ['--print --apply', 2, 'Choose one of --print, --apply and --remove.'],
  ['--format iptables', 2, 'iptables is not a format; nftables and ufw are.'],
  ['--format ufw --apply', 2, 'Rules for ufw are printed only'],
  ['--format ufw --remove', 2, 'Rules for ufw are printed only'],
  ['--network home', 2, 'It must be a network such as 2001:db8:7::/64.'],
  ['--network 10.0.0.0/33', 2, 'It must be a network such as 2001:db8:7::/64.'],
  ['--aply', 2, 'Did you mean --apply?'],
  ['--print', 3, 'Kalnet is not running.'],
])('[SEC-5.command] kalnet firewall %s ends with %i: %s', async (words, code, sentence) => {
  const said = await cli(it.home, 'firewall', ...words.split(' '))
  expect({ ...said, err: said.err + said.out }).toMatchObject({
    code,
    err: expect.stringContaining(sentence),
  })
})
