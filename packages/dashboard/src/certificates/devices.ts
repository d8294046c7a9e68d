/** Which device this is, and which form of the authority's certificate each device takes. */
import type { AuthorityForm, TrustDevice } from '@kalnet/contracts/certificate'

export const DEVICES = [
  'ios',
  'android',
  'windows',
  'macos',
  'linux',
  'firefox',
  'tv',
] as const satisfies readonly TrustDevice[]
export const FORMS: Record<TrustDevice, AuthorityForm> = {
  ios: 'mobileconfig',
  macos: 'mobileconfig',
  android: 'pem',
  linux: 'pem',
  firefox: 'pem',
  windows: 'der',
  tv: 'der',
}

/** The first guess, from what the browser says of itself; a tablet of Apple's calls itself a Mac with a touch screen. */
export function deviceOf(agent: string, touchPoints: number): TrustDevice {
  if (/SmartTV|Tizen|Web0S|webOS|BRAVIA|HbbTV/i.test(agent)) return 'tv'
  if (/iPhone|iPad|iPod/.test(agent) || (/Macintosh/.test(agent) && touchPoints > 1)) return 'ios'
  if (/Android/.test(agent)) return 'android'
  if (/Firefox/.test(agent)) return 'firefox'
  if (/Windows/.test(agent)) return 'windows'
  return /Macintosh/.test(agent) ? 'macos' : 'linux'
}
