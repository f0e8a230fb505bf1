#ifndef REGISTRY_REGISTRY_H_
#define REGISTRY_REGISTRY_H_

// A registry that has nothing to do with Troupe's: of letters by the year.
struct Registry {
  int year = 1957;
};

#endif  // REGISTRY_REGISTRY_H_
