/** A QR code drawn from its squares. Load lazily; always dark on white: that is what cameras read. */
import type { Qr } from '@kalnet/contracts/qr'
import css from './qr-code.module.css'

/** The quiet border that readers need, in squares. */
const QUIET = 4

export default function QrCode({ code, label }: { code: Qr; label: string }) {
  const path = code.rows
    .flatMap((row, y) => [...row].map((square, x) => (square === '1' ? `M${x} ${y}h1v1h-1z` : '')))
    .join('')
  const side = code.size + 2 * QUIET
  return (
    <svg
      className={css.code}
      viewBox={`${-QUIET} ${-QUIET} ${side} ${side}`}
      shapeRendering="crispEdges"
      role="img"
      aria-label={label}
    >
      <path className={css.paper} d={`M${-QUIET} ${-QUIET}h${side}v${side}h${-side}z`} />
      <path d={path} />
    </svg>
  )
}
