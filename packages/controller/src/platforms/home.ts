/** The home of an instance: a private folder that goes with it, or a volume in its place that stays. */
import { HOME, type InstanceSpec } from '@kalnet/contracts/instance'

/** A platform must not show both. */
export const keepsHome = (spec: InstanceSpec): boolean => spec.volumes.some((it) => it.at === HOME)
