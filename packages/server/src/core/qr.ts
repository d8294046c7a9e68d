/** Text as a QR code in squares: whoever shows it draws them. */
import type { Qr } from '@kalnet/contracts/qr'
import qrcode from 'qrcode'

/** Middle correction: reads well from a screen, and stays small enough for a phone. */
export function qrOf(text: string): Qr {
  const { modules } = qrcode.create(text, { errorCorrectionLevel: 'M' })
  const { size } = modules
  const rows = Array.from({ length: size }, (_, row) =>
    Array.from({ length: size }, (__, column) => (modules.get(row, column) ? '1' : '0')).join(''),
  )
  return { size, rows }
}
