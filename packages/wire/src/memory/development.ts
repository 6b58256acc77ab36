/** Development mode: memory is overwritten when it becomes free, so that what was kept from it is seen to be wrong. */

/** On from the start when NODE_ENV is `development`. */
export const development: { isOn: boolean } = { isOn: process.env.NODE_ENV === 'development' };

/** Development mode overwrites freed memory; on when NODE_ENV is `development`. */
export function setDevelopmentMode(isOn: boolean): void {
  development.isOn = isOn;
}
