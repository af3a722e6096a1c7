"""The registry of the emulator's ECR, to which docker, podman and skopeo push and from which they pull.

read a request -> what is asked, and the call of ECR's API that needs the same permission    distribution
log in         -> whose access key the password stands for                                  distribution
authorize      -> as every other call, with the IAM actions of ECR                           authorization
answer         -> from moto's repositories, and the layers in a folder                       server, images, layers
"""
