/** Our mark: two hills and a light in the window of the evening. */
import * as m from '../messages/index.ts'

export const Mark = ({ size = 32 }: { size?: number }) => (
  <svg width={size} height={size} viewBox="0 0 32 32" role="img" aria-label={m.product}>
    <rect width="32" height="32" rx="8" fill="#0f6b66" />
    <path
      d="M5.5 23.5 12.6 11a1.6 1.6 0 0 1 2.8 0l3 5.3 1.7-2.8a1.5 1.5 0 0 1 2.6 0l4.2 7.4a1.75 1.75 0 0 1-1.5 2.6z"
      fill="#fff"
    />
    <circle cx="22.3" cy="8.3" r="2.3" fill="#9adfd6" />
  </svg>
)
